/** Joining and leaving: bootstrap tokens by the command line, what a node's credential may do, and what stops when it is taken away. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { caHash, discoverCa } from '../../agent/discovery.ts';
import { requestCredential } from '../../agent/join.ts';
import { ROOT } from '../../cli/command.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { client, type Send } from '../support/https.ts';
import { eventually, type Result } from './support.ts';

let plane: ControlPlane;
let send: Send;
let ca: string;

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none' });
  send = client(plane);
  ca = readFileSync(join(plane.data, 'pki/ca.crt'), 'utf8');
});
afterAll(() => plane?.stop());

/** Runs `zeroplane` against the control plane. */
const zeroplane = (...args: string[]): Promise<Result> => run([...args, '--kubeconfig', plane.kubeconfig]);
function run(args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'cli/main.ts'), ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}
async function create(...args: string[]): Promise<{ token: string; join: string; caHashes: string[] }> {
  const { code, stdout, stderr } = await zeroplane('token', 'create', '-o', 'json', ...args);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}
const ask = async (path: string, token?: string, more: object = {}): Promise<number> =>
  (await send({ path, ...(token === undefined ? {} : { token }), ...more })).status;
const post = (path: string, body: object, token?: string): Promise<number> =>
  ask(path, token, { method: 'POST', body });
const INFO = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
const signatures = async (): Promise<string[]> => {
  const { data = {} } = (await send({ path: INFO })).body as { data?: Record<string, string> };
  return Object.keys(data).filter((key) => key !== 'kubeconfig');
};

describe('a bootstrap token', () => {
  it('is made with one line that joins, listed as kubeadm lists it, and deleted', async () => {
    const made = await create('--ttl', '2h30m', '--description', 'für den Test');
    const [hash = ''] = made.caHashes;
    expect(hash).toBe(caHash(ca));
    const line = `node cli/bootstrap.mjs node join --server ${plane.server} --bootstrap-token ${made.token} --ca-hash ${hash}`;
    expect(made.join).toBe(line);
    const [head = '', ...rows] = (await zeroplane('token', 'list')).stdout.trim().split('\n');
    expect(head).toMatch(/^TOKEN +TTL +EXPIRES +USAGES +DESCRIPTION +EXTRA GROUPS$/);
    const row = rows.find((one) => one.startsWith(made.token));
    expect(row).toMatch(/ 2h +\d{4}-\S+Z +authentication,signing +für den Test +system:bootstrappers:zeroplane:node$/);
    const id = made.token.split('.')[0] as string;
    expect(await zeroplane('token', 'delete', id)).toMatchObject({
      code: 0,
      stdout: `bootstrap token "${id}" deleted\n`,
    });
    expect(await post('/zeroplane/v1/join', { nodeName: 'n' }, made.token)).toBe(401);
    await expect.poll(signatures).not.toContain(`jws-kubeconfig-${id}`);
  });

  it('of another group is no way to become a node', async () => {
    const { token } = await create('--groups', 'system:bootstrappers:others', '--ttl', '600');
    expect(await ask('/apis', token)).toBe(200);
    expect(await post('/zeroplane/v1/join', { nodeName: 'n' }, token)).toBe(401);
  });

  it('may be given, without an end', async () => {
    const token = 'aaaaaa.0123456789abcdef';
    expect((await create(token, '--ttl', '0')).token).toBe(token);
    expect((await zeroplane('token', 'list')).stdout).toMatch(/aaaaaa\S+ +<forever> +<never>/);
    const again = await zeroplane('token', 'create', token);
    expect([again.code, again.stderr]).toEqual([1, 'zeroplane: a token with id "aaaaaa" already exists.\n']);
  });

  it.each<[string, string[]]>([
    ['no command', []],
    ['a broken token', ['create', 'abc']],
    ['a broken time', ['create', '--ttl', 'soon']],
    ['a group of others', ['create', '--groups', 'system:masters']],
    ['a usage that there is not', ['create', '--usages', 'flying']],
    ['nothing to delete', ['delete']],
    ['a broken id', ['delete', '../x']],
  ])('is refused in one sentence with %s', async (_, args) => {
    const { code, stderr } = await zeroplane('token', ...args);
    expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringMatching(/^zeroplane: /)]]);
  });

  it('tells a machine that trusts nobody which CA to trust', async () => {
    const { token, caHashes } = await create();
    await expect.poll(signatures).toContain(`jws-kubeconfig-${token.split('.')[0]}`);
    expect((await discoverCa(plane.server, token, caHashes)).trim()).toBe(ca.trim());
    await expect(discoverCa(plane.server, token, [`sha256:${'0'.repeat(64)}`])).rejects.toThrow(
      /not the one that was pinned/,
    );
    // Anybody reads that, and nothing else.
    expect(await ask(INFO, '')).toBe(200);
    expect(await ask('/api/v1/namespaces/kube-public/configmaps/kube-root-ca.crt', '')).toBe(403);
    expect(await ask('/api/v1/namespaces/kube-public/configmaps', '')).toBe(403);
    expect(await ask(INFO, '', { method: 'DELETE' })).toBe(403);
  });
});

describe('a kubeconfig for a person', () => {
  const secret = (): string => readFileSync(join(plane.data, 'bootstrap-secret'), 'utf8').trim();
  const kubeconfig = (...args: string[]): Promise<Result> =>
    run([
      'kubeconfig',
      '--server',
      plane.server,
      '--ca',
      join(plane.data, 'pki/ca.crt'),
      '--secret',
      secret(),
      ...args,
    ]);

  it.each<[string[], user: string, groups: string[]]>([
    [['--user', 'ann', '--group', 'dev', '--group', 'qa', '--ttl', '8h'], 'ann', ['dev', 'qa', 'system:authenticated']],
    [['--user', 'bob'], 'bob', ['system:authenticated']],
    [[], 'admin', ['system:masters', 'system:authenticated']],
  ])('with %j is %s', async (args, username, groups) => {
    const { stdout } = await kubeconfig(...args);
    expect(stdout).toContain(`- name: "${username}"`);
    const token = /^ {4}token: (.+)$/m.exec(stdout)?.[1] ?? '';
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { status } = (await send({ method: 'POST', path, body: {}, token })).body as { status: { userInfo: object } };
    expect(status.userInfo).toMatchObject({ username, groups });
  });

  it.each([[['--ttl', 'soon']], [['--ttl', '1s']]])('is refused in one sentence with %j', async (args) => {
    const { code, stderr } = await kubeconfig(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^zeroplane: --ttl is a time of a minute or more.*\n$/)]);
  });
});

describe('a node’s credential', () => {
  const NS = '/api/v1/namespaces/work';
  const tokens: Record<string, string> = {};
  const merge = (path: string, body: object, token?: string): Promise<number> =>
    ask(path, token, { method: 'PATCH', body, headers: { 'content-type': 'application/merge-patch+json' } });
  const tokenFor = async (account: string, pod: string, by?: string) => {
    const { metadata } = (await send({ path: `${NS}/pods/${pod}` })).body as { metadata: { uid: string } };
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: pod, uid: metadata.uid };
    const body = { spec: { expirationSeconds: 3607, boundObjectRef } };
    const path = `${NS}/serviceaccounts/${account}/token`;
    return send({ method: 'POST', path, body, ...(by === undefined ? {} : { token: by }) });
  };
  const tokenOf = async (...args: Parameters<typeof tokenFor>): Promise<string> =>
    ((await tokenFor(...args)).body as { status: { token: string } }).status.token;

  beforeAll(async () => {
    await post('/api/v1/namespaces', { metadata: { name: 'work' } });
    await eventually('a ServiceAccount', async () => (await ask(`${NS}/serviceaccounts/default`)) === 200);
    for (const node of ['a', 'b']) {
      tokens[node] = (await requestCredential(plane.server, ca, (await create()).token, node)).token;
      expect(await post('/api/v1/nodes', { metadata: { name: node } }, tokens[node])).toBe(201);
      await post(`${NS}/serviceaccounts`, { metadata: { name: node } });
      await post(`${NS}/secrets`, { metadata: { name: `of-${node}` }, stringData: { x: 'y' } });
      const volumes = [{ name: 's', secret: { secretName: `of-${node}` } }];
      const spec = { nodeName: node, serviceAccountName: node, volumes, containers: [{ name: 'c', image: 'x' }] };
      expect(await post(`${NS}/pods`, { metadata: { name: node }, spec })).toBe(201);
    }
  });

  it.each<[string, () => Promise<number>, number]>([
    ['reads what its own pod names', () => ask(`${NS}/secrets/of-a`, tokens['a']), 200],
    ['reads no Secret of another node’s pod', () => ask(`${NS}/secrets/of-b`, tokens['a']), 403],
    ['reads no other pod', () => ask(`${NS}/pods/b`, tokens['a']), 403],
    ['lists no Secrets', () => ask(`${NS}/secrets`, tokens['a']), 403],
    ['patches its Node', () => merge('/api/v1/nodes/a', { metadata: { labels: { zone: 'x' } } }, tokens['a']), 200],
    [
      'patches no other Node',
      () => merge('/api/v1/nodes/b', { metadata: { labels: { zone: 'x' } } }, tokens['a']),
      403,
    ],
    ['says nothing of another’s status', () => merge('/api/v1/nodes/b/status', { status: {} }, tokens['a']), 403],
    [
      'takes no label that keeps workloads apart',
      () =>
        merge('/api/v1/nodes/a', { metadata: { labels: { 'node-restriction.kubernetes.io/x': 'y' } } }, tokens['a']),
      403,
    ],
    [
      'takes away no taint',
      () => merge('/api/v1/nodes/a', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }, tokens['a']),
      403,
    ],
    ['deletes no Node', () => ask('/api/v1/nodes/a', tokens['a'], { method: 'DELETE' }), 403],
    ['mints tokens of its own pods’ accounts', async () => (await tokenFor('a', 'a', tokens['a'])).status, 201],
    ['mints none of an account that is not on it', async () => (await tokenFor('b', 'b', tokens['a'])).status, 403],
    ['mints none for a pod that is not on it', async () => (await tokenFor('a', 'b', tokens['a'])).status, 403],
    ['removes no node', () => ask('/zeroplane/v1/nodes/b', tokens['a'], { method: 'DELETE' }), 403],
    ['is renewed for no other name', () => post('/zeroplane/v1/join', { nodeName: 'b' }, tokens['a'] as string), 401],
    ['opens its own session', () => dial('a', tokens['a'] as string), 101],
    ['opens no session of another', () => dial('b', tokens['a'] as string), 403],
  ])('%s', async (_, attempt, status) => {
    expect(await attempt()).toBe(status);
  });

  /** How a WebSocket to a node's session is answered. */
  function dial(node: string, token: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const url = `${plane.server.replace('https', 'wss')}/zeroplane/v1/nodes/${node}/session`;
      const socket = new WebSocket(url, { ca, headers: { authorization: `Bearer ${token}` } });
      socket.on('error', reject);
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      socket.on('upgrade', ({ statusCode }) => {
        resolve(statusCode ?? 0);
        socket.close();
      });
    });
  }

  it.each<[string, () => Promise<unknown>, refused: number]>([
    ['its pod is deleted', () => ask(`${NS}/pods/t?gracePeriodSeconds=0`, undefined, { method: 'DELETE' }), 401],
    ['its ServiceAccount is deleted', () => ask(`${NS}/serviceaccounts/t`, undefined, { method: 'DELETE' }), 401],
    [
      'its binding is revoked',
      () => ask(`/apis/rbac.authorization.k8s.io/v1/namespaces/work/rolebindings/t`, undefined, { method: 'DELETE' }),
      403,
    ],
  ])('a pod’s token is good no more within a second when %s', async (_, change, refused) => {
    await post(`${NS}/serviceaccounts`, { metadata: { name: 't' } });
    await post(`${NS}/pods`, {
      metadata: { name: 't' },
      spec: { nodeName: 'a', serviceAccountName: 't', containers: [{ name: 'c', image: 'x' }] },
    });
    await post('/apis/rbac.authorization.k8s.io/v1/namespaces/work/rolebindings', {
      metadata: { name: 't' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 't', namespace: 'work' }],
    });
    const token = await tokenOf('t', 't', tokens['a']);
    let lastGood = 0;
    const use = async (): Promise<number> => {
      const asked = Date.now();
      const status = await ask(`${NS}/pods`, token);
      if (status === 200) lastGood = asked;
      return status;
    };
    await expect.poll(use).toBe(200);
    await change();
    const changed = Date.now();
    await expect.poll(use, { interval: 20 }).toBe(refused);
    // How long an answer takes is another matter: what counts is when it was asked for.
    expect(lastGood - changed).toBeLessThan(1500);
    for (const path of [`${NS}/pods/t`, `${NS}/serviceaccounts/t`])
      await ask(`${path}?gracePeriodSeconds=0`, undefined, { method: 'DELETE' });
    await ask('/apis/rbac.authorization.k8s.io/v1/namespaces/work/rolebindings/t', undefined, { method: 'DELETE' });
  });

  it('is worth nothing when the node was removed, and its Node and pods are gone', async () => {
    expect(await zeroplane('node', 'remove', 'b')).toMatchObject({ code: 0, stdout: 'node "b" removed\n' });
    expect(await ask('/api/v1/nodes/b', tokens['b'])).toBe(401);
    expect(await post('/api/v1/nodes', { metadata: { name: 'b' } }, tokens['b'])).toBe(401);
    expect([await ask('/api/v1/nodes/b'), await ask(`${NS}/pods/b`)]).toEqual([404, 404]);
    expect(await ask('/api/v1/nodes/a', tokens['a'])).toBe(200);
  });

  it('is taken away after its pods were evicted, or not at all', async () => {
    const { token } = await requestCredential(plane.server, ca, (await create()).token, 'c');
    await post('/api/v1/nodes', { metadata: { name: 'c' } }, token);
    const labels = { app: 'kept' };
    const spec = { nodeName: 'c', terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'x' }] };
    await post(`${NS}/pods`, { metadata: { name: 'c', labels }, spec });
    const budget = { metadata: { name: 'kept' }, spec: { minAvailable: 1, selector: { matchLabels: labels } } };
    await post('/apis/policy/v1/namespaces/work/poddisruptionbudgets', budget);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    expect(await merge(`${NS}/pods/c/status`, { status }, token)).toBe(200);
    const healthy = async () =>
      (
        (await send({ path: '/apis/policy/v1/namespaces/work/poddisruptionbudgets/kept' })).body['status'] as {
          currentHealthy?: number;
        }
      )?.currentHealthy;
    await expect.poll(healthy).toBe(1);
    const kept = await zeroplane('node', 'remove', 'c', '--drain', '--timeout', '1s');
    expect([kept.code, kept.stderr]).toEqual([
      1,
      'zeroplane: node c is cordoned but not removed, these pods are still on it: work/c.\n',
    ]);
    expect(await ask('/api/v1/nodes/c', token)).toBe(200);
    await ask('/apis/policy/v1/namespaces/work/poddisruptionbudgets/kept', undefined, { method: 'DELETE' });
    expect(await zeroplane('node', 'remove', 'c', '--drain')).toMatchObject({ code: 0 });
    expect([await ask('/api/v1/nodes/c'), await ask('/api/v1/nodes/c', token)]).toEqual([404, 401]);
  });
});
