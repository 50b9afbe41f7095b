/** What it costs to know who asks and what they may, in a cluster with many bindings. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';
import { requestCredential } from '../../cli/up/credentials.ts';
import { BenchClient } from './client.ts';
import { type Figures, quantile, round } from './figures.ts';

const BINDINGS = 1000;
const NAMESPACES = 50;
const SAMPLES = 2000;
const CHANGES = 40;
const WARM_UP = 300;
const GROUP = 'rbac.authorization.k8s.io';
/** `view` itself has no rules where no controller runs. */
const VIEW = 'system:aggregate-to-view';
const TARGET = '/api/v1/namespaces/access-0/configmaps/c';

const binding = (name: string, user: string) => ({
  metadata: { name },
  roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: VIEW },
  subjects: [{ apiGroup: GROUP, kind: 'User', name: user }],
});
const bindings = (namespace: number): string => `/apis/${GROUP}/v1/namespaces/access-${namespace}/rolebindings`;

/**
 * The p50 of a get by somebody whom one RoleBinding lets in: with few bindings in the cluster, and with a thousand. Then the same get just
 * after another binding was made, which waits for a new snapshot.
 */
export async function measureAccess(plane: ControlPlane, figures: Figures): Promise<void> {
  const [ca, secret] = await Promise.all(
    ['pki/ca.crt', 'bootstrap-secret'].map((file) => readFile(join(plane.data, file), 'utf8')),
  );
  const request = { user: 'bench', groups: [], ttlSeconds: 3600 };
  const { token } = await requestCredential(plane.server, (secret as string).trim(), request, ca);
  const admin = new BenchClient(plane, 32);
  const user = new BenchClient({ ...plane, token }, 1);
  const get = async (): Promise<number> => {
    const started = performance.now();
    await user.send('GET', TARGET);
    return performance.now() - started;
  };
  const p50 = async (samples: number, before: () => Promise<unknown> = async () => {}): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < samples; i++) {
      await before();
      times.push(await get());
    }
    return quantile(
      times.sort((a, b) => a - b),
      0.5,
    );
  };
  for (let i = 0; i < NAMESPACES; i++)
    await admin.send('POST', '/api/v1/namespaces', { metadata: { name: `access-${i}` } });
  await admin.send('POST', '/api/v1/namespaces/access-0/configmaps', { metadata: { name: 'c' } });
  await admin.send('POST', bindings(0), binding('bench', 'bench'));
  await p50(WARM_UP);
  const few = await p50(SAMPLES);
  figures.add({ name: 'get by a user', clients: 1, p50Ms: round(few, 3) });

  let made = 0;
  const bind = (): Promise<unknown> =>
    admin.send('POST', bindings(made % NAMESPACES), binding(`b-${made}`, `user-${made++}`));
  await Promise.all(Array.from({ length: BINDINGS }, bind));
  await p50(WARM_UP);
  const many = await p50(SAMPLES);
  figures.add({ name: `get by a user, ${BINDINGS} RoleBindings`, clients: 1, p50Ms: round(many, 3) });
  figures.add({ name: `more for ${BINDINGS} RoleBindings`, value: round(many - few, 3), unit: 'ms' });

  const after = await p50(CHANGES, bind);
  figures.add({ name: `new snapshot, ${BINDINGS} RoleBindings`, value: round(after - many), unit: 'ms' });
  admin.close();
  user.close();
}
