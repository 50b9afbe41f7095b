/**
 * A soak: random creates, scales, roll-outs, deletes and taints over simulated nodes, with workerd killed at random moments. At the end every
 * object must have become what its spec says, and nothing may be left over.
 *
 *   node test/bench/soak.ts --minutes 30 --nodes 200
 */
import { parseArgs } from 'node:util';
import { runtimePid, startControlPlane } from '../../cli/harness/control-plane.ts';
import { say } from '../../cli/progress.ts';
import { type Answered, client } from '../support/https.ts';
import { findProblems, type World } from './soak-checks.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    nodes: { type: 'string', default: '200' },
    kill: { type: 'string', default: '60' },
    settle: { type: 'string', default: '120' },
  },
});
const minutes = Number(values.minutes);
const nodes = Number(values.nodes);
const killEveryMs = Number(values.kill) * 1000;
const settleMs = Number(values.settle) * 1000;
const NAMESPACES = 5;
const WORKERS = 6;
const MOST_OF_A_KIND = 12;

const plane = await startControlPlane({ nodes: `simulated=${nodes}` });
const send = client(plane);
const counts = { requests: 0, unanswered: 0, refused: 0, kills: 0 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const below = (limit: number): number => Math.floor(Math.random() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

/** What the server says; undefined where it was killed meanwhile. */
async function ask(method: string, path: string, body?: object, patch = false): Promise<Answered | undefined> {
  counts.requests++;
  const headers: Record<string, string> = patch ? { 'content-type': 'application/merge-patch+json' } : {};
  try {
    const answer = await send({ method, path, ...(body === undefined ? {} : { body }), headers });
    if (answer.status >= 500) counts.refused++;
    return answer;
  } catch {
    counts.unanswered++;
    await pause(200);
    return undefined;
  }
}

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: `app:${below(5)}`, resources: { requests: { cpu: '50m' } } }] },
});
const kinds = {
  deployments: '/apis/apps/v1',
  statefulsets: '/apis/apps/v1',
  daemonsets: '/apis/apps/v1',
  jobs: '/apis/batch/v1',
  services: '/api/v1',
} as const;
type Kind = keyof typeof kinds;

function specOf(kind: Kind, app: string): object {
  const selector = { matchLabels: { app } };
  switch (kind) {
    case 'services':
      return {
        selector: { app: app.replace('ser', 'dep') },
        ports: [{ port: 80 }],
        type: pick(['ClusterIP', 'NodePort']),
      };
    case 'jobs':
      return {
        completions: 1 + below(4),
        parallelism: 2,
        template: { ...template(app), spec: { ...template(app).spec, restartPolicy: 'Never' } },
      };
    case 'daemonsets': {
      const pod = template(app);
      return { selector, template: { ...pod, spec: { ...pod.spec, nodeSelector: { zone: pick(['z1', 'z2']) } } } };
    }
    case 'statefulsets':
      return {
        selector,
        serviceName: app,
        replicas: below(5),
        podManagementPolicy: pick(['Parallel', 'OrderedReady']),
        template: template(app),
      };
    default:
      return { selector, replicas: below(8), template: template(app) };
  }
}

async function act(): Promise<void> {
  const namespace = `soak-${below(NAMESPACES)}`;
  const kind = pick([
    'deployments',
    'deployments',
    'deployments',
    'statefulsets',
    'jobs',
    'services',
    'daemonsets',
  ] as const);
  const name = `${kind.slice(0, 3)}-${below(kind === 'daemonsets' ? 1 : MOST_OF_A_KIND)}`;
  const at = `${kinds[kind]}/namespaces/${namespace}/${kind}`;
  switch (below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      await ask('POST', at, { metadata: { name }, spec: specOf(kind, name) });
      break;
    case 4:
    case 5:
      if (kind === 'deployments' || kind === 'statefulsets')
        await ask('PATCH', `${at}/${name}`, { spec: { replicas: below(8) } }, true);
      break;
    case 6:
    case 7:
      if (kind !== 'jobs' && kind !== 'services')
        await ask('PATCH', `${at}/${name}`, { spec: { template: template(name) } }, true);
      break;
    case 8:
      await ask('DELETE', `${at}/${name}`, { propagationPolicy: pick(['Background', 'Foreground']) });
      break;
    default:
      await disturb();
  }
}

/** Something happens to a node, or to a namespace as a whole. */
async function disturb(): Promise<void> {
  const node = `/api/v1/nodes/sim-${1 + below(nodes)}`;
  const taint = { key: 'soak', value: 'x', effect: 'NoExecute' };
  if (below(20) === 0) await ask('DELETE', `/api/v1/namespaces/soak-${below(NAMESPACES)}`);
  else
    await ask(
      'PATCH',
      node,
      { spec: { taints: below(2) === 0 ? [taint] : null, unschedulable: below(3) === 0 } },
      true,
    );
  for (let i = 0; i < NAMESPACES; i++) await ask('POST', '/api/v1/namespaces', { metadata: { name: `soak-${i}` } });
}

async function world(): Promise<World | undefined> {
  const list = async (path: string): Promise<never[] | undefined> =>
    (await ask('GET', path))?.body.items as never[] | undefined;
  const paths = {
    deployments: '/apis/apps/v1/deployments',
    statefulSets: '/apis/apps/v1/statefulsets',
    daemonSets: '/apis/apps/v1/daemonsets',
    replicaSets: '/apis/apps/v1/replicasets',
    jobs: '/apis/batch/v1/jobs',
    pods: '/api/v1/pods',
    services: '/api/v1/services',
    slices: '/apis/discovery.k8s.io/v1/endpointslices',
    namespaces: '/api/v1/namespaces',
    nodes: '/api/v1/nodes',
  } as const;
  const entries = await Promise.all(
    Object.entries(paths).map(async ([kind, path]) => [kind, await list(path)] as const),
  );
  return entries.every(([, items]) => items !== undefined)
    ? (Object.fromEntries(entries) as unknown as World)
    : undefined;
}

let over = false;
const deadline = Date.now() + minutes * 60_000;
const killer = (async () => {
  while (!over) {
    await pause(killEveryMs * (0.5 + Math.random()));
    if (over) return;
    try {
      process.kill(runtimePid(plane), 'SIGKILL');
      counts.kills++;
    } catch {
      // The one that was killed last has not been replaced yet.
    }
  }
})();
try {
  await disturb();
  const work = async (): Promise<void> => {
    while (Date.now() < deadline) {
      await act();
      await pause(below(40));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  over = true;
  say(`${JSON.stringify(counts)}; now it may settle`);
  for (let i = 1; i <= nodes; i++) {
    const freed = { spec: { taints: null, unschedulable: null } };
    while ((await ask('PATCH', `/api/v1/nodes/sim-${i}`, freed, true)) === undefined);
  }
  const until = Date.now() + settleMs;
  let problems = ['nothing was seen'];
  while (problems.length > 0 && Date.now() < until) {
    await pause(1000);
    const seen = await world();
    if (seen !== undefined) problems = findProblems(seen);
  }
  for (const problem of problems) say(problem);
  say(problems.length === 0 ? 'All is as it should be.' : `${problems.length} things are not as they should be.`);
  process.exitCode = problems.length === 0 ? 0 : 1;
  await Promise.race([killer, pause(1)]);
} finally {
  over = true;
  await plane.stop();
  process.exit();
}
