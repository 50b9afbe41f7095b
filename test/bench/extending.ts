/** What custom resources and policies cost: beside ConfigMaps, and with 500 definitions. */
import { existsSync, readFileSync } from 'node:fs';
import { delay } from '../../agent/informer.ts';
import { type ControlPlane, runtimePid } from '../../cli/harness/control-plane.ts';
import { BenchClient } from './client.ts';
import { type Figures, quantile, round } from './figures.ts';

const GROUP = 'bench.example.org';
const NAMESPACE = '/namespaces/bench';
const MAPS = `/api/v1${NAMESPACE}/configmaps`;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const FIELDS = 20;
const VALIDATIONS = 5;
const MANY = 500;
/** Requests of each kind; they take turns, so that whatever else the machine does happens to all. */
const ROUNDS = 400;
const WARM_UP = 50;
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

let made = 0;
const fields = (value: (index: number) => unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: FIELDS }, (_, index) => [`field${index}`, value(index)]));
const text = fields((index) => `value ${index}`);
const map = () => ({ metadata: { name: `map-${made++}` }, data: text });
const custom = () => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Thing0',
  metadata: { name: `thing-${made++}` },
  spec: text,
});

const definition = (index: number): object => ({
  metadata: { name: `things${index}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: `things${index}`, kind: `Thing${index}` },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
  },
});
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['field0'],
      properties: fields((index) => ({ type: 'string', maxLength: 100, description: `field ${index}` })),
    },
  },
};

const policy = {
  metadata: { name: 'bench' },
  spec: {
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    },
    validations: Array.from({ length: VALIDATIONS }, (_, index) => ({
      expression: `object.data.field${index}.startsWith('value') && size(object.data) < 100`,
    })),
  },
};
const binding = { metadata: { name: 'bench' }, spec: { policyName: 'bench', validationActions: ['Deny'] } };

/** The p50 of each kind of request in ms, one after the other in turn. */
async function turns<K extends string>(kinds: Record<K, () => Promise<unknown>>): Promise<Record<K, number>> {
  const times = new Map<string, number[]>();
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries<() => Promise<unknown>>(kinds)) {
      const started = performance.now();
      await run();
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), performance.now() - started]);
    }
  }
  const p50 = ([name, all]: [string, number[]]) => [
    name,
    quantile(
      all.sort((a, b) => a - b),
      0.5,
    ),
  ];
  return Object.fromEntries([...times].map(p50)) as Record<K, number>;
}

async function served(client: BenchClient, path: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (
      await client.send('GET', path).then(
        () => true,
        () => false,
      )
    )
      return;
  }
  throw new Error(`${path} is not served`);
}

/** Needs the namespace `bench`. */
export async function measureExtending(plane: ControlPlane, figures: Figures): Promise<void> {
  const client = new BenchClient(plane, 16);
  try {
    await client.send('POST', DEFINITIONS, definition(0));
    const things = `/apis/${GROUP}/v1${NAMESPACE}/things0`;
    await served(client, things);
    const creates = {
      map: () => client.send('POST', MAPS, map()),
      thing: () => client.send('POST', things, custom()),
    };
    const plain = await turns(creates);
    figures.add({ name: 'create a ConfigMap', clients: 1, p50Ms: round(plain.map) });
    figures.add({ name: `create a custom object, fields: ${FIELDS}`, clients: 1, p50Ms: round(plain.thing) });
    figures.add({ name: 'custom object to ConfigMap', value: round(plain.thing / plain.map), unit: 'x' });
    await measurePolicy(client, figures, things);
    await measureMany(plane, client, figures);
  } finally {
    client.close();
  }
}

/** With a policy ConfigMaps take longer, beside what it does not look at. */
async function measurePolicy(client: BenchClient, figures: Figures, things: string): Promise<void> {
  const dryRun = `${MAPS}?dryRun=All`;
  const creates = {
    map: () => client.send('POST', dryRun, map()),
    thing: () => client.send('POST', `${things}?dryRun=All`, custom()),
  };
  const without = await turns(creates);
  await client.send('POST', POLICIES, policy);
  await client.send('POST', `${POLICIES.replace('policies', 'policybindings')}`, binding);
  // In force within the age of a snapshot; until then the warm-up goes by without it.
  for (const until = Date.now() + 1500; Date.now() < until; ) await creates.map();
  const withIt = await turns(creates);
  const added = withIt.map - without.map - (withIt.thing - without.thing);
  figures.add({ name: `a policy of ${VALIDATIONS} validations adds`, value: round(added, 3), unit: 'ms' });
}

async function measureMany(plane: ControlPlane, client: BenchClient, figures: Figures): Promise<void> {
  const before = residentMiB(plane);
  const rest = Array.from({ length: MANY - 1 }, (_, index) => definition(index + 1));
  const started = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) await client.send('POST', DEFINITIONS, next);
    }),
  );
  const resources = async (): Promise<number> => {
    const { text } = await client.send('GET', `/apis/${GROUP}/v1`);
    return (JSON.parse(text) as { resources: unknown[] }).resources.length;
  };
  while ((await resources()) < MANY) await delay(100);
  figures.add({
    name: `${MANY} definitions made and served`,
    value: round((performance.now() - started) / 1000, 1),
    unit: 's',
  });
  const times: number[] = [];
  for (let i = 0; i < 50; i++) {
    const from = performance.now();
    await client.send('GET', '/apis', undefined, undefined, { accept: AGGREGATED });
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  figures.add({
    name: `discovery of ${MANY} definitions`,
    clients: 1,
    p50Ms: round(quantile(times, 0.5)),
    p99Ms: round(quantile(times, 0.99)),
  });
  const after = residentMiB(plane);
  if (before !== undefined && after !== undefined) {
    figures.add({ name: `memory of ${MANY} definitions`, value: round(after - before, 0), unit: 'MiB' });
  }
}

/** What workerd holds; undefined where /proc is not. */
function residentMiB(plane: ControlPlane): number | undefined {
  const file = `/proc/${runtimePid(plane)}/status`;
  if (!existsSync(file)) return undefined;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) / 1024;
}
