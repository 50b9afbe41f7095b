/** Priority and fairness over the wire: who floods is slowed, and nobody else. */
import https from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { type Answered, client, type Send } from '../support/https.ts';

const GROUP = '/apis/flowcontrol.apiserver.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const MAPS = '/api/v1/namespaces/fair/configmaps';
/** One share of all is three seats. */
const LEVEL = {
  type: 'Limited',
  limited: {
    nominalConcurrencyShares: 1,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 4, queueLengthLimit: 5 } },
  },
};
const SCHEMA = {
  priorityLevelConfiguration: { name: 'fair' },
  matchingPrecedence: 50,
  distinguisherMethod: { type: 'ByUser' },
  rules: [
    {
      subjects: [{ kind: 'Group', group: { name: 'system:serviceaccounts:fair' } }],
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
    },
  ],
};

let plane: ControlPlane;
let send: Send;
const tokens: Record<string, string> = {};
const uids: Record<string, unknown> = {};
const ofFlow = ({ headers }: Answered) => [
  headers['x-kubernetes-pf-flowschema-uid'],
  headers['x-kubernetes-pf-prioritylevel-uid'],
];

async function make(path: string, body: object): Promise<Answered> {
  const answer = await send({ method: 'POST', path, body });
  if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
  return answer;
}

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none', controllers: 'off' });
  send = client(plane);
  await make('/api/v1/namespaces', { metadata: { name: 'fair' } });
  await make(MAPS, { metadata: { name: 'one' }, data: { text: 'x'.repeat(50_000) } });
  for (const name of ['flood', 'calm']) {
    await make('/api/v1/namespaces/fair/serviceaccounts', { metadata: { name } });
    const path = `/api/v1/namespaces/fair/serviceaccounts/${name}/token`;
    const { status } = (await make(path, { spec: {} })).body;
    tokens[name] = (status as { token: string }).token;
  }
  await make(`${RBAC}/namespaces/fair/rolebindings`, {
    metadata: { name: 'fair' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:serviceaccounts:fair' }],
  });
  const uidOf = ({ body }: Answered): unknown => (body.metadata as { uid?: string } | undefined)?.uid;
  const specs = { prioritylevelconfigurations: LEVEL, flowschemas: SCHEMA };
  for (const [resource, spec] of Object.entries(specs)) {
    uids[resource] = uidOf(await make(`${GROUP}/${resource}`, { metadata: { name: 'fair' }, spec }));
  }
});
afterAll(async () => {
  await plane?.stop();
});

describe('priority and fairness', () => {
  it('says by which schema and level a request is served, refused ones too', async () => {
    const own = [uids['flowschemas'], uids['prioritylevelconfigurations']];
    const served = await send({ path: MAPS, token: tokens['calm'] as string });
    expect([served.status, ...ofFlow(served)]).toEqual([200, ...own]);
    const watched = await send({ path: `${MAPS}?watch=true&timeoutSeconds=1`, token: tokens['calm'] as string });
    expect([watched.status, ...ofFlow(watched)]).toEqual([200, ...own]);
    const forbidden = await send({ path: '/api/v1/nodes', token: tokens['calm'] as string });
    expect([forbidden.status, ...ofFlow(forbidden)]).toEqual([403, ...own]);
    const exempt = await send({ path: `${GROUP}/prioritylevelconfigurations/exempt` });
    expect(ofFlow(exempt)[1]).toBe((exempt.body.metadata as { uid?: string }).uid);
    const unknown = await send({ path: MAPS, token: 'nobody' });
    expect([unknown.status, ...ofFlow(unknown)]).toEqual([401, undefined, undefined]);
  });

  it('refuses what a flooding account asks for, serves a calm one quickly, and forgets who hangs up', async () => {
    let isOver = false;
    const refused: Answered[] = [];
    const other = new Set<number>();
    const served: number[] = [];
    const flooder = async (): Promise<void> => {
      while (!isOver) {
        const at = performance.now();
        const answer = await send({ path: MAPS, token: tokens['flood'] as string });
        if (answer.status === 429) refused.push(answer);
        else other.add(answer.status);
        if (answer.status === 200) served.push(performance.now() - at);
      }
    };
    const flooding = Array.from({ length: 60 }, flooder);
    const calm: { status: number; ms: number }[] = [];
    while (calm.length < 25) {
      const at = performance.now();
      const { status } = await send({ path: `${MAPS}/one`, token: tokens['calm'] as string });
      calm.push({ status, ms: performance.now() - at });
      hangUp();
    }
    isOver = true;
    await Promise.all(flooding);
    const [slow, quick] = [median(served), median(calm.map(({ ms }) => ms))];
    console.log(
      `flood: ${served.length} served, median ${slow} ms, ${refused.length} refused; calm: median ${quick} ms`,
    );
    expect(calm.filter(({ status }) => status !== 200)).toEqual([]);
    // On a slow machine everything is slow, what the flood gets too.
    expect(quick).toBeLessThan(Math.max(1000, 4 * slow));
    expect([...other]).toEqual([200]);
    expect(refused.length).toBeGreaterThan(0);
    const [first] = refused;
    expect(first?.headers['retry-after']).toBe('1');
    expect(first?.body).toMatchObject({
      kind: 'Status',
      code: 429,
      reason: 'TooManyRequests',
      message: 'Too many requests, please try again later.',
    });
    expect(ofFlow(first as Answered)).toEqual([uids['flowschemas'], uids['prioritylevelconfigurations']]);
    // Those who did not wait for their answers hold no seats.
    const twelve = Array.from({ length: 12 });
    const together = () =>
      Promise.all(
        twelve.map(async () => (await send({ path: `${MAPS}/one`, token: tokens['flood'] as string })).status),
      );
    await expect.poll(together).toEqual(twelve.map(() => 200));
  });
});

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;

/** Asks, and goes away before the answer. */
function hangUp(): void {
  const { hostname, port } = new URL(plane.server);
  for (let i = 0; i < 4; i++) {
    const headers = { authorization: `Bearer ${tokens['flood']}` };
    const request = https.request({ hostname, port, path: MAPS, headers, rejectUnauthorized: false });
    request.on('error', () => {});
    // Some while they wait, some while they are served.
    request.end(() => setTimeout(() => request.destroy(), 5 * i));
  }
}
