/** An operator of the test's own in a pod: its definition, its three webhooks behind a Service, and what it does, over restarts. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { nodeServer } from '../support/node-server.ts';
import { importImages } from './lab.ts';
import { eventually, hasKubectl, isRoot, kubectl, must } from './support.ts';

const GROUP = 'ops.example.org';
const NAME = 'operator';
const WITHIN = { timeout: 120_000, interval: 250 };

const text = { type: 'string' };
const version = (name: string, storage: boolean, said: string): object => ({
  name,
  served: true,
  storage,
  subresources: { status: {} },
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', required: [said], properties: { [said]: text, colour: text } },
        status: { type: 'object', properties: { copied: text } },
      },
    },
  },
});

const reach = (path: string, caBundle: string) => ({ service: { name: NAME, namespace: 'default', path }, caBundle });

const definition = (caBundle: string): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `notes.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'notes', kind: 'Note' },
    versions: [version('v1', true, 'text'), version('v2', false, 'message')],
    conversion: {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: reach('/convert', caBundle) },
    },
  },
});

const admission = (kind: string, path: string, caBundle: string): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: `${kind}WebhookConfiguration`,
  metadata: { name: 'notes' },
  webhooks: [
    {
      name: `${kind.toLowerCase()}.${GROUP}`,
      // Whatever version is asked for, this one is what it is shown.
      rules: [{ apiGroups: [GROUP], apiVersions: ['v2'], operations: ['CREATE', 'UPDATE'], resources: ['notes'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 5,
      clientConfig: reach(path, caBundle),
    },
  ],
});

const account: object[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: 'default' } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: NAME },
    rules: [
      { apiGroups: [GROUP], resources: ['notes', 'notes/status'], verbs: ['*'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
    subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: 'default' }],
  },
];

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('an operator', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const apply = (...items: object[]): Promise<string> =>
    must(plane, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const note = (version: string, name: string, spec: object): object => ({
    apiVersion: `${GROUP}/${version}`,
    kind: 'Note',
    metadata: { name, namespace: 'default' },
    spec,
  });
  const copied = (name: string): Promise<string> =>
    kubectl(plane, ['get', 'configmap', name, '-o', 'jsonpath={.data.message} {.data.colour}']).then((r) => r.stdout);
  const served = async (version: string, name: string): Promise<unknown> => {
    const all = await run('get', `notes.${version}.${GROUP}`, name, '-o', 'json');
    return (JSON.parse(all) as { spec: unknown }).spec;
  };

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    const { objects, caBundle } = await nodeServer({
      name: NAME,
      namespace: 'default',
      program: 'operator.mjs',
      serviceAccountName: NAME,
    });
    await apply(definition(caBundle));
    await run('wait', '--for=condition=Established', `crd/notes.${GROUP}`, '--timeout=90s');
    await apply(...account, ...objects);
    await run('rollout', 'status', `deployment/${NAME}`, '--timeout=90s');
    await apply(admission('Mutating', '/mutate', caBundle), admission('Validating', '/validate', caBundle));
    const ask = () =>
      kubectl(plane, ['create', '-f', '-', '--dry-run=server'], JSON.stringify(note('v2', 'x', { message: 'rude' })));
    await eventually('asked', async () => (await ask()).stderr.includes('be polite'));
  });
  afterAll(async () => {
    await plane?.stop({ keepData: false });
  });

  it('is asked about every version, converts between them, and does its work', async () => {
    await apply(note('v1', 'one', { text: 'hello' }));
    expect(await served('v2', 'one')).toEqual({ message: 'hello', colour: 'blue' });
    expect(await served('v1', 'one')).toEqual({ text: 'hello', colour: 'blue' });
    await expect.poll(() => copied('one'), WITHIN).toBe('hello blue');
    await apply(note('v2', 'one', { message: 'bye', colour: 'red' }));
    await expect.poll(() => copied('one'), WITHIN).toBe('bye red');
    await run('wait', '--for=jsonpath={.status.copied}=bye', `notes.v1.${GROUP}/one`, '--timeout=90s');
    expect(
      (await kubectl(plane, ['apply', '-f', '-'], JSON.stringify(note('v1', 'two', { text: 'rude' })))).stderr,
    ).toContain(`admission webhook "validating.${GROUP}" denied the request: be polite`);
  });

  it('goes on when the agent is killed', async () => {
    const [agent = ''] = execFileSync('pgrep', ['-P', String(plane.process.pid), '-f', 'agent/main.ts'], {
      encoding: 'utf8',
    }).split('\n');
    process.kill(Number(agent), 'SIGKILL');
    const again = () =>
      kubectl(plane, ['apply', '-f', '-'], JSON.stringify(note('v1', 'three', { text: 'still here' })));
    await expect.poll(async () => (await again()).code, WITHIN).toBe(0);
    await expect.poll(() => copied('three'), WITHIN).toBe('still here blue');
  });

  it('goes on when control plane and node are started again', async () => {
    const { data, port } = plane;
    await plane.stop({ keepData: true });
    plane = await startControlPlane({ nodes: 'real', data, port });
    const again = () => kubectl(plane, ['apply', '-f', '-'], JSON.stringify(note('v1', 'four', { text: 'back' })));
    await expect.poll(async () => (await again()).code, WITHIN).toBe(0);
    expect(await served('v2', 'one')).toEqual({ message: 'bye', colour: 'red' });
    await expect.poll(() => copied('four'), WITHIN).toBe('back blue');
  });

  it('cannot hold up the end of what it converts', async () => {
    await run('scale', `deployment/${NAME}`, '--replicas=0');
    await expect
      .poll(async () => (await kubectl(plane, ['get', `notes.v2.${GROUP}`])).stderr, WITHIN)
      .toContain(
        `conversion webhook for ${GROUP}/v1, Kind=NoteList failed: Post "https://${NAME}.default.svc:443/convert?timeout=30s": no endpoints available`,
      );
    await run('delete', 'crd', `notes.${GROUP}`, '--timeout=90s');
    expect((await kubectl(plane, ['get', 'crd', `notes.${GROUP}`])).stderr).toContain('not found');
  });
});
