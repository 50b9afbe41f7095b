/** Recorded stories of what upstream's controllers made of workloads. CONVERGE_STORIES names their folder; without it there is nothing to compare. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { Simulation } from '../../src/controllers/client/simulation.ts';

type Loose = KubeObject & { spec: JsonObject; status: JsonObject } & JsonObject;
interface Step {
  method?: string;
  path?: string;
  body?: JsonObject;
  settle?: string;
  quiet?: number;
}
interface Story {
  name: string;
  steps: Step[];
  expect: Record<string, Record<string, JsonObject[]>>;
}

const folder = process.env['CONVERGE_STORIES'] ?? '';
const stories = ['deployment', 'deployment-stuck', 'replicaset', 'services', 'accounts'];
const NAMESPACE = 'story';
const REVISION = 'deployment.kubernetes.io/revision';
const RESOURCES: Record<string, string> = {
  deployments: 'apps/deployments',
  replicasets: 'apps/replicasets',
  pods: 'core/pods',
  endpointslices: 'discovery.k8s.io/endpointslices',
  endpoints: 'core/endpoints',
  configmaps: 'core/configmaps',
  serviceaccounts: 'core/serviceaccounts',
};

/** Names without their random parts. */
function scrubber(simulation: Simulation): (text: string) => string {
  const sets = simulation.cluster.all('apps/replicasets').filter(({ metadata }) => metadata.ownerReferences);
  const order = (object: KubeObject) =>
    `${object.metadata.creationTimestamp} ${object.metadata.annotations?.[REVISION]}`;
  const hashes = sets
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ metadata }) => metadata.labels?.['pod-template-hash'] ?? '-');
  return (text) => {
    let scrubbed = text;
    for (const [i, hash] of hashes.entries()) scrubbed = scrubbed.replaceAll(hash, `<h${i + 1}>`);
    return scrubbed
      .replace(/(<h\d>|\brs|\bfirst|\bnamed|\bheadless|\bbare)-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '$1-<r>')
      .replace(
        /\bweb-[bcdfghjklmnpqrstvwxz2456789]{8,10}(-\w{5})?\b/,
        (_, pod?: string) => `web-<h?>${pod ? '-<r>' : ''}`,
      )
      .replace('(combined from similar events): ', '')
      .replace(/from \d+ to \d+/, 'from <n> to <n>');
  };
}

const ONLY_COUNTED = ['observedGeneration', 'conditions'];

function fact(kind: string, object: Loose, scrub: (text: string) => string): string {
  const { labels, annotations = {}, ownerReferences = [], name } = object.metadata;
  const owners = ownerReferences.map(
    (o) => `${o.kind}/${o.name}${o.controller ? ' controller' : ''}${o.blockOwnerDeletion ? ' blocks' : ''}`,
  );
  const status = Object.entries(object.status ?? {})
    .filter(([key]) => !ONLY_COUNTED.includes(key))
    .sort();
  const conditions = ((object.status?.['conditions'] ?? []) as JsonObject[])
    .map((c) => [c['type'], c['status'], c['reason'], c['message']].join(' '))
    .sort();
  const workload = kind === 'deployments' || kind === 'replicasets';
  const sizes = Object.entries(annotations)
    .filter(([key]) => key.startsWith('deployment.kubernetes.io/'))
    .sort();
  const facts: unknown[] = [
    name,
    Object.entries(labels ?? {}).sort(),
    owners,
    ...(workload ? [sizes, object.spec['replicas'] ?? 1, status, conditions] : []),
  ];
  if (kind === 'endpointslices') facts.push(object['ports'], ((object['endpoints'] ?? []) as Json[]).length);
  return scrub(JSON.stringify(facts));
}

function told(kind: string, entry: JsonObject): string {
  const status = (entry['status'] ?? {}) as JsonObject;
  const object = {
    metadata: { name: entry['name'], labels: entry['labels'], annotations: entry['annotations'] },
    spec: entry['spec'] ?? {},
    status,
    endpoints: entry['endpoints'],
    ports: entry['ports'],
  } as unknown as Loose;
  object.metadata.ownerReferences = ((entry['owners'] ?? []) as string[]).map((owner) => {
    const [path = '', ...flags] = owner.split(' ');
    const [ownerKind = '', ownerName = ''] = path.split('/');
    return {
      apiVersion: '',
      uid: '',
      kind: ownerKind,
      name: ownerName,
      controller: flags.includes('controller'),
      blockOwnerDeletion: flags.includes('blocks'),
    };
  });
  return fact(kind, object, (text) => text);
}

function look(simulation: Simulation): Record<string, string[]> {
  const scrub = scrubber(simulation);
  const seen: Record<string, string[]> = {};
  for (const [kind, resource] of Object.entries(RESOURCES)) {
    const all = simulation.cluster.all<Loose>(resource).filter(({ metadata }) => metadata.namespace === NAMESPACE);
    seen[kind] = all.map((object) => fact(kind, object, scrub)).sort();
  }
  const events = simulation.cluster.all<Loose>('core/events');
  seen['events'] = [...new Set(events.map((event) => scrub(`${event['reason']} ${event['message']}`)))].sort();
  return seen;
}

function wanted(expected: Record<string, JsonObject[]>): Record<string, string[]> {
  const told_: Record<string, string[]> = {};
  for (const kind of Object.keys(RESOURCES)) {
    const entries = expected[kind] ?? [];
    told_[kind] = entries
      .flatMap((entry) => Array.from({ length: Number(entry['count']) }, () => told(kind, entry)))
      .sort();
  }
  const events = (expected['events'] ?? []).filter((event) => event['by'] !== 'default-scheduler');
  told_['events'] = [...new Set(events.map((event) => `${event['reason']} ${event['message']}`))].sort();
  return told_;
}

async function perform(simulation: Simulation, { method, path = '', body = {} }: Step): Promise<void> {
  const parts = path.replace('/api/v1/', '/apis//v1/').split('/').slice(2);
  const [group = '', , , , plural = '', name = ''] = parts;
  const resource = `${group === '' ? 'core' : group}/${plural}`;
  const { cluster } = simulation;
  if (method === 'PATCH') await cluster.patch(resource, NAMESPACE, name, 'merge', body);
  if (method === 'DELETE') {
    const propagationPolicy = body['propagationPolicy'] as 'Orphan' | undefined;
    await cluster.delete(resource, NAMESPACE, name, { propagationPolicy, gracePeriodSeconds: 0 });
  }
  if (method !== 'POST') return;
  const object = structuredClone(body) as Loose;
  object.metadata.namespace = NAMESPACE;
  // What the API server fills in.
  if (plural === 'deployments')
    object.spec = { progressDeadlineSeconds: 600, revisionHistoryLimit: 10, ...object.spec };
  if (plural === 'endpoints')
    object['subsets'] = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80, protocol: 'TCP' }] }];
  await cluster.create(resource, object);
}

describe.skipIf(!existsSync(folder))('stories', () => {
  it.each(stories)('%s', async (name) => {
    const story = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Story;
    const selectsNothing = (spec: { nodeSelector?: object } | undefined) =>
      Object.keys(spec?.nodeSelector ?? {}).length > 0;
    const simulation = new Simulation({ runs: (pod) => !selectsNothing(pod.spec as { nodeSelector?: object }) });
    await simulation.cluster.create('core/namespaces', { metadata: { name: NAMESPACE } });
    for (const node of ['sim-1', 'sim-2', 'sim-3']) await simulation.addNode(node);
    for (const step of story.steps) {
      if (step.settle === undefined) {
        await perform(simulation, step);
        continue;
      }
      await simulation.settle(step.quiet ?? 2000);
      const expected = story.expect[step.settle];
      expect({ at: step.settle, ...look(simulation) }).toEqual({ at: step.settle, ...wanted(expected ?? {}) });
    }
  });
});
