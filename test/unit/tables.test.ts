import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { columnDefinitions, includeObject, partial, tableOf, tableRow } from '../../src/api/printers/table.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { Json, JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { resources } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';

const NOW = Date.parse('2026-11-21T00:44:00Z');
const CREATED = '2026-11-21T00:44:00Z';

/** A resource as far as tables look at it. */
const bare = (group: string, resource: string): Resource => ({
  group,
  version: 'v1',
  resource,
  singular: '',
  kind: '',
  namespaced: true,
  strategy: {},
});

const cellsOf = (resource: Resource, object: object): Json[] =>
  tableRow(resource, object as KubeObject, 'None', NOW)['cells'] as Json[];

describe('pods', () => {
  const pods = bare('', 'pods');
  const containers = [{ name: 'a' }, { name: 'b' }];
  const sidecar = { name: 's', restartPolicy: 'Always' };
  const running = { ready: true, restartCount: 0, state: { running: {} } };
  const waiting = (reason: string) => ({ state: { waiting: { reason } } });
  const ended = (exitCode: number, reason?: string, signal?: number) => ({
    state: { terminated: { exitCode, reason, signal } },
  });
  const lastEnded = { terminated: { finishedAt: '2026-11-21T00:39:00Z' } };
  it.each<[string, object, object, object, [string, string, string]]>([
    ['pending', { containers }, { phase: 'Pending' }, {}, ['0/2', 'Pending', '0']],
    [
      'running',
      { containers },
      { phase: 'Running', containerStatuses: [running, running] },
      {},
      ['2/2', 'Running', '0'],
    ],
    [
      'crashing',
      { containers },
      {
        phase: 'Running',
        containerStatuses: [{ ...waiting('CrashLoopBackOff'), restartCount: 3, lastState: lastEnded }, running],
      },
      {},
      ['1/2', 'CrashLoopBackOff', '3 (5m ago)'],
    ],
    [
      'half done and ready',
      { containers },
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [ended(0, 'Completed'), running],
      },
      {},
      ['1/2', 'Running', '0'],
    ],
    [
      'half done',
      { containers },
      { phase: 'Running', containerStatuses: [ended(0, 'Completed'), running] },
      {},
      ['1/2', 'NotReady', '0'],
    ],
    [
      'killed',
      { containers },
      { phase: 'Failed', containerStatuses: [ended(137, '', 9)] },
      {},
      ['0/2', 'Signal:9', '0'],
    ],
    ['failed', { containers }, { phase: 'Failed', containerStatuses: [ended(7)] }, {}, ['0/2', 'ExitCode:7', '0']],
    [
      'first init container',
      { containers, initContainers: [{ name: 'i' }, { name: 'j' }] },
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', state: { running: {} } },
          { name: 'j', ...waiting('PodInitializing') },
        ],
      },
      {},
      ['0/2', 'Init:0/2', '0'],
    ],
    [
      'second init container failed',
      { containers, initContainers: [{ name: 'i' }, { name: 'j' }] },
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', ...ended(0) },
          { name: 'j', restartCount: 2, ...ended(3) },
        ],
      },
      {},
      ['0/2', 'Init:ExitCode:3', '2'],
    ],
    [
      'init container waits',
      { containers, initContainers: [{ name: 'i' }] },
      { phase: 'Pending', initContainerStatuses: [{ name: 'i', ...waiting('ErrImagePull') }] },
      {},
      ['0/2', 'Init:ErrImagePull', '0'],
    ],
    [
      'sidecar',
      { containers, initContainers: [sidecar] },
      {
        phase: 'Running',
        initContainerStatuses: [{ name: 's', started: true, ready: true, restartCount: 1, state: { running: {} } }],
        containerStatuses: [running, { ...running, restartCount: 1 }],
      },
      {},
      ['3/3', 'Running', '2'],
    ],
    ['terminating', { containers }, { phase: 'Running' }, { deletionTimestamp: CREATED }, ['0/2', 'Terminating', '0']],
    [
      'done, terminating',
      { containers },
      { phase: 'Succeeded' },
      { deletionTimestamp: CREATED },
      ['0/2', 'Succeeded', '0'],
    ],
    [
      'lost',
      { containers },
      { phase: 'Running', reason: 'NodeLost' },
      { deletionTimestamp: CREATED },
      ['0/2', 'Unknown', '0'],
    ],
    ['evicted', { containers }, { phase: 'Failed', reason: 'Evicted' }, {}, ['0/2', 'Evicted', '0']],
    [
      'gated',
      { containers },
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      {},
      ['0/2', 'SchedulingGated', '0'],
    ],
  ])('%s', (_, spec, status, metadata, expected) => {
    const cells = cellsOf(pods, { metadata: { name: 'p', creationTimestamp: CREATED, ...metadata }, spec, status });
    expect(cells.slice(1, 4)).toEqual(expected);
  });

  it('takes an empty object', () => {
    expect(cellsOf(pods, { metadata: { name: 'p' } })).toEqual([
      'p',
      '0/0',
      '',
      '0',
      '<unknown>',
      '<none>',
      '<none>',
      '<none>',
      '<none>',
    ]);
  });
});

describe('other cells', () => {
  const metadata = { name: 'x', creationTimestamp: CREATED };
  it.each<[string, string, object, Json[]]>([
    [
      '',
      'services',
      {
        spec: { type: 'NodePort', clusterIPs: ['10.96.0.9'], ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }] },
      },
      ['x', 'NodePort', '10.96.0.9', '<none>', '80:30080/TCP', '0s', '<none>'],
    ],
    [
      '',
      'services',
      { spec: { type: 'LoadBalancer' } },
      ['x', 'LoadBalancer', '<none>', '<pending>', '<none>', '0s', '<none>'],
    ],
    [
      '',
      'services',
      { spec: { type: 'ExternalName', externalName: 'a.b' } },
      ['x', 'ExternalName', '<none>', 'a.b', '<none>', '0s', '<none>'],
    ],
    [
      '',
      'resourcequotas',
      { status: { hard: { pods: '5', 'limits.cpu': '2000m', cpu: '1' }, used: { pods: '1' } } },
      ['x', 'cpu: 0/1, pods: 1/5', 'limits.cpu: 0/2', '0s'],
    ],
    [
      'batch',
      'jobs',
      { spec: { parallelism: 3 }, status: { succeeded: 1, startTime: '2026-11-21T00:40:00Z' } },
      ['x', 'Running', '1/1 of 3', '4m', '0s', '', '', '<none>'],
    ],
    [
      'apps',
      'controllerrevisions',
      {
        revision: 2,
        metadata: {
          ...metadata,
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'w', uid: '1', controller: true }],
        },
      },
      ['x', 'statefulset.apps/w', 2, '0s'],
    ],
    [
      'certificates.k8s.io',
      'certificatesigningrequests',
      {
        spec: { signerName: 's', username: 'u', expirationSeconds: 3600 },
        status: { certificate: 'x', conditions: [{ type: 'Approved' }] },
      },
      ['x', '0s', 's', 'u', '60m', 'Approved,Issued'],
    ],
    [
      'discovery.k8s.io',
      'endpointslices',
      { addressType: 'IPv4', ports: [{ port: 80 }, { name: 'any' }, { name: '' }, {}] },
      ['x', 'IPv4', '80,any, + 1 more...', '<unset>', '0s'],
    ],
    [
      'networking.k8s.io',
      'ipaddresses',
      { spec: { parentRef: { group: 'Example.com', resource: 'Things', namespace: 'n', name: 'T' } } },
      ['x', 'things.example.com/n/T', '0s'],
    ],
    [
      'apps',
      'replicasets',
      { spec: { selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x', 'y'] }] } } },
      ['x', 0, 0, 0, '0s', '', '', 'a in (x,y,y)'],
    ],
    ['example.com', 'widgets', {}, ['x', CREATED]],
  ])('%s %s', (group, resource, object, expected) => {
    expect(cellsOf(bare(group, resource), { metadata, ...object })).toEqual(expected);
  });
});

describe('tableOf', () => {
  const pods = bare('', 'pods');
  const pod = { kind: 'Pod', metadata: { name: 'p' }, status: { phase: 'Succeeded' } } as KubeObject;
  it('carries what is asked for', () => {
    const object = (include: 'None' | 'Metadata' | 'Object'): Json | undefined =>
      tableRow(pods, pod, include, NOW)['object'];
    expect(object('None')).toBeNull();
    expect(object('Metadata')).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'p' },
    });
    expect(object('Object')).toBe(pod);
  });

  it('marks pods that are done', () => {
    expect(tableRow(pods, pod, 'None', NOW)['conditions']).toMatchObject([{ type: 'Completed', reason: 'Succeeded' }]);
  });

  it('has list metadata, and is of the version that is asked for', () => {
    const metaVersion = 'meta.k8s.io/v1beta1';
    const list = { resourceVersion: '7', continue: 'c', remainingItemCount: 3 };
    const options = { metaVersion, includeObject: 'None', ...list } as const;
    const table = tableOf(pods, [pod], options, NOW);
    expect(table['metadata']).toEqual({ resourceVersion: '7', continue: 'c', remainingItemCount: 3 });
    expect((table['columnDefinitions'] as JsonObject[])[0]).toMatchObject({
      name: 'Name',
      type: 'string',
      format: 'name',
      priority: 0,
    });
    expect(table['apiVersion']).toBe(metaVersion);
  });

  it.each(
    resources.map((resource) => [`${resource.group}/${resource.version} ${resource.resource}`, resource] as const),
  )('%s: a bookmark has a row', (_, resource) => {
    const { group, version, kind } = resource;
    const bookmark = {
      kind,
      apiVersion: group === '' ? version : `${group}/${version}`,
      metadata: { resourceVersion: '1' },
    };
    const row = tableRow(resource, bookmark as KubeObject, 'Metadata', NOW);
    expect(row['object']).toMatchObject({ metadata: { resourceVersion: '1' } });
  });

  it('metadata is without what its version alone has', () => {
    const daemonSets = resources.find(({ kind }) => kind === 'DaemonSet') as Resource;
    const annotations = { 'deprecated.daemonset.template.generation': '1', mine: 'x' };
    const made = partial(
      daemonSets,
      { metadata: { name: 'd', annotations } } as unknown as KubeObject,
      'meta.k8s.io/v1',
    );
    expect(made['metadata']).toEqual({ name: 'd', annotations: { mine: 'x' } });
  });

  it('reads includeObject', () => {
    expect(includeObject(null)).toBe('Metadata');
    expect(includeObject('Object')).toBe('Object');
    expect(() => includeObject('Weird')).toThrow(StatusError);
    expect(() => includeObject('Weird')).toThrow(
      "Unable to convert to Table as requested: includeObject: Invalid value: \"Weird\": must be 'Metadata', 'Object', 'None', or empty",
    );
  });
});

const facts = new URL('../../../shared/facts/printer-columns.tsv', import.meta.url).pathname;
describe.skipIf(!existsSync(facts))('columns of the original', () => {
  const byResource = new Map<string, { resource: Resource; columns: string[] }>();
  const lines = existsSync(facts) ? readFileSync(facts, 'utf8').trim().split('\n').slice(1) : [];
  for (const line of lines) {
    const [groupVersion = '', resource = '', ...column] = line.split('\t');
    const group = groupVersion.includes('/') ? (groupVersion.split('/')[0] as string) : '';
    const key = `${groupVersion}/${resource}`;
    const entry = byResource.get(key) ?? { resource: bare(group, resource), columns: [] };
    entry.columns.push(column.join('\t'));
    byResource.set(key, entry);
  }
  it.each([...byResource])('%s', (_, { resource, columns }) => {
    expect(
      columnDefinitions(resource).map((c) => [c['name'], c['type'], c['format'], c['priority']].join('\t')),
    ).toEqual(columns);
  });
});

interface Step {
  request: { method: string; path: string };
  response: { status: number; body: JsonObject };
}

/** What depends on when it was recorded is only looked at for its form. */
const timeless = (cell: Json): Json =>
  typeof cell === 'string'
    ? cell.replace(/^(\d+[sd]|<time>|\d{4}-.*Z)$/, 'time').replace(/\(\d+[sd] ago\)/, '(time)')
    : cell;

const recorded = new URL('../../../shared/fixtures/recorded/scenarios/tables.json', import.meta.url).pathname;
describe.skipIf(!existsSync(recorded))('tables of the original', () => {
  const { steps } = (existsSync(recorded) ? JSON.parse(readFileSync(recorded, 'utf8')) : { steps: [] }) as {
    steps: Step[];
  };
  const live = new Map<string, KubeObject>();
  steps.forEach(({ request, response }, at) => {
    const [path = ''] = request.path.split('?');
    const body = response.body;
    if (request.method !== 'GET') {
      const text = JSON.stringify(body).replaceAll('"<time>"', JSON.stringify(CREATED));
      const object = JSON.parse(text) as KubeObject;
      const name = object.metadata?.name;
      if (name !== undefined && object.kind !== 'Status')
        live.set(request.method === 'POST' ? `${path}/${name}` : path.replace(/\/status$/, ''), object);
      return;
    }
    const object = live.get(path);
    if (body['kind'] !== 'Table' || object === undefined) return;
    const parts = path.split('/').slice(1);
    const resource = bare(parts[0] === 'api' ? '' : (parts[1] as string), parts.at(-2) as string);
    it(`step ${at}: ${request.path}`, () => {
      const include = includeObject(new URL(request.path, 'http://x').searchParams.get('includeObject'));
      const table = tableOf(resource, [object], { metaVersion: '', includeObject: include, resourceVersion: '' }, NOW);
      const head = (from: JsonObject): JsonObject[] =>
        (from['columnDefinitions'] as JsonObject[]).map((column) => ({ ...column, description: '' }));
      expect(head(table)).toEqual(head(body));
      const [row] = table['rows'] as JsonObject[];
      const [expected] = body['rows'] as JsonObject[];
      const seen = (each: JsonObject = {}): unknown => ({
        cells: (each['cells'] as Json[]).map(timeless),
        conditions: each['conditions'],
        kind: (each['object'] as JsonObject)['kind'],
      });
      expect(seen(row)).toEqual(seen(expected));
    });
  });
});
