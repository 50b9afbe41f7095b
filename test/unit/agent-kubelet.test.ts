import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lifetime } from '../../agent/join.ts';
import { computeActions, type Health } from '../../agent/kubelet/actions.ts';
import { admit, admitOnNewest } from '../../agent/kubelet/admission.ts';
import { Backoff, goDuration, RESTART_BACKOFF } from '../../agent/kubelet/backoff.ts';
import { serviceVariables } from '../../agent/kubelet/env.ts';
import { expand } from '../../agent/kubelet/expansion.ts';
import { fieldValue, resourceValue } from '../../agent/kubelet/field-ref.ts';
import { dnsConfig, hostsFile } from '../../agent/kubelet/hosts-file.ts';
import { formatImageName, parseImageName } from '../../agent/kubelet/image-name.ts';
import { type LogOptions, streamLog } from '../../agent/kubelet/logs.ts';
import type { PodRuntime, RuntimeContainer } from '../../agent/kubelet/pod-runtime.ts';
import { pullCredentials } from '../../agent/kubelet/pull-secrets.ts';
import { divided, milli, quantity } from '../../agent/kubelet/quantity.ts';
import { cpuQuota, cpuShares, oomScoreAdj, podLimit, podRequest, qosClass } from '../../agent/kubelet/resources.ts';
import { podStatus } from '../../agent/kubelet/status.ts';
import { covers, statusPatch } from '../../agent/kubelet/status-manager.ts';
import { writeAtomically } from '../../agent/kubelet/volumes/atomic-writer.ts';
import { resolveSubPath } from '../../agent/kubelet/volumes/sub-path.ts';
import { parseOptions, UsageError } from '../../agent/options.ts';
import { pauseBinary } from '../../agent/runtime/pause-image.ts';
import { tar } from '../../agent/runtime/tar.ts';
import type { Container, Pod, PodSpec, Service } from '../../src/generated/types/core.v1.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zp-kubelet-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const podOf = (spec: PodSpec, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u', generation: 1, labels: { app: 'x' }, ...metadata },
  spec,
});

describe('quantities', () => {
  it.each([
    ['100m', 0.1],
    ['2', 2],
    ['16Mi', 16 * 1024 * 1024],
    ['1k', 1000],
    ['1e3', 1000],
    ['1.5Gi', 1.5 * 1024 ** 3],
    ['', 0],
    ['nonsense', 0],
    ['__proto__', 0],
  ])('%s is %d', (text, value) => expect(quantity(text)).toBeCloseTo(value, 9));

  it('rounds up, but not what binary fractions add', () => {
    expect([milli('100m'), milli('1500u'), divided(0.1, '1m'), divided(1.5, '1')]).toEqual([100, 2, '100', '2']);
  });
});

describe('resources', () => {
  const container = (requests?: Record<string, string>, limits?: Record<string, string>): Container => ({
    name: 'c',
    resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
  });
  const both = { cpu: '1', memory: '1Gi' };
  it.each([
    ['BestEffort', [container()]],
    ['Burstable', [container({ memory: '1Mi' })]],
    ['Burstable', [container(both, both), container()]],
    ['Guaranteed', [container(undefined, both)]],
    ['Guaranteed', [container(both, both)]],
    ['Burstable', [container({ cpu: '1' }, { cpu: '1' })]],
  ])('%s', (qos, containers) => expect(qosClass(podOf({ containers }))).toBe(qos));

  it('turns cores into shares and quotas', () => {
    expect([cpuShares(0), cpuShares(0.1), cpuShares(1)]).toEqual([2, 102, 1024]);
    expect([cpuQuota(0), cpuQuota(0.25), cpuQuota(0.001)]).toEqual([undefined, 25_000, 1000]);
  });

  it('scores burstable containers by their share of the memory', () => {
    const one = container({ memory: '1Gi' });
    const score = oomScoreAdj(podOf({ containers: [one] }), one, 4 * 1024 ** 3);
    expect(score).toBe(750);
  });

  it('counts sidecars with the main containers and other init containers at their peak', () => {
    const pod = podOf({
      initContainers: [
        { ...container({ cpu: '1' }), restartPolicy: 'Always' },
        { ...container({ cpu: '4' }), name: 'i' },
      ],
      containers: [container({ cpu: '2' })],
    });
    expect(podRequest(pod, 'cpu')).toBe(5);
    expect(podLimit(pod, 'cpu')).toBeUndefined();
  });

  it('refuses pods that do not fit', () => {
    const big = podOf({ containers: [container({ cpu: '2' })] });
    expect(admit(big, [], { cpu: 1, memory: 1, pods: 10 }, undefined)).toEqual({
      reason: 'OutOfcpu',
      message: "Node didn't have enough resource: cpu, requested: 2000, used: 0, capacity: 1000",
    });
    const picky = podOf({ containers: [], nodeSelector: { disk: 'ssd' } });
    const node = { metadata: { name: 'n', labels: { disk: 'hdd' } } };
    expect(admit(picky, [], { pods: 10 }, node)?.reason).toBe('NodeAffinity');
    expect(admit(podOf({ containers: [] }), [], { pods: 10 }, node)).toBeUndefined();
    const tainted = { ...node, spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } };
    expect(admit(podOf({ containers: [] }), [], { pods: 10 }, tainted)).toEqual({
      reason: 'TaintToleration',
      message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    });
    const hardened = podOf({ containers: [], tolerations: [{ operator: 'Exists' }] });
    expect(admit(hardened, [], { pods: 10 }, tainted)).toBeUndefined();
  });

  it.each([
    ['ssd', undefined, 1],
    ['hdd', 'NodeAffinity', 1],
  ])('reads the node anew before it sends a pod to another: it has become %s', async (disk, reason, reads) => {
    const requirement = { key: 'disk', operator: 'In', values: ['ssd'] };
    const required = { nodeSelectorTerms: [{ matchExpressions: [requirement] }] };
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: required };
    const picky = podOf({ containers: [], affinity: { nodeAffinity } });
    let read = 0;
    const agent = {
      node: { metadata: { name: 'n' } },
      refresh: async () => {
        read++;
        return { metadata: { name: 'n', labels: { disk } } };
      },
    };
    const refusal = await admitOnNewest(picky, () => [], { pods: 10 }, agent);
    expect([refusal?.reason, read]).toEqual([reason, reads]);
  });

  it.each([
    [[{ hostPort: 80 }], [{ hostPort: 80 }], true],
    [[{ hostPort: 80 }], [{ hostPort: 81 }], false],
    [[{ hostPort: 80, protocol: 'UDP' }], [{ hostPort: 80 }], false],
    [[{ hostPort: 80, hostIP: '10.0.0.1' }], [{ hostPort: 80 }], true],
    [[{ hostPort: 80, hostIP: '10.0.0.1' }], [{ hostPort: 80, hostIP: '10.0.0.2' }], false],
    [[{ containerPort: 80 }], [{ containerPort: 80 }], false],
  ])('refuses ports of the node that another holds: %j beside %j', (wanted, held, refused) => {
    const withPorts = (uid: string, ports: object[]): Pod =>
      ({ metadata: { name: uid, uid }, spec: { containers: [{ name: 'c', ports }] } }) as Pod;
    const refusal = admit(withPorts('new', wanted), [withPorts('old', held)], { pods: 10 }, undefined);
    expect(refusal).toEqual(
      refused
        ? {
            reason: 'NodePorts',
            message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
          }
        : undefined,
    );
  });
});

describe('expansion', () => {
  const values = new Map([['A', '1']]);
  it.each([
    ['$(A)', '1'],
    ['$$(A)', '$(A)'],
    ['$(NOPE)', '$(NOPE)'],
    ['$(A', '$(A'],
    ['a$', 'a$'],
    ['$x $$ $(A)$(A)', '$x $ 11'],
  ])('%s becomes %s', (text, result) => expect(expand(text, values)).toBe(result));
});

describe('downward API', () => {
  const pod = podOf({ containers: [] }, { labels: { b: '2', a: '1"' }, annotations: { 'x/y': 'z' } });
  const node = { name: 'n', ip: '1.2.3.4' };
  it.each([
    ['metadata.name', 'p'],
    ['metadata.uid', 'u'],
    ["metadata.annotations['x/y']", 'z'],
    ["metadata.labels['__proto__']", ''],
    ['metadata.labels', 'a="1\\""\nb="2"'],
    ['spec.serviceAccountName', 'default'],
    ['status.hostIP', '1.2.3.4'],
  ])('%s', (path, value) => expect(fieldValue(pod, path, node)).toBe(value));

  it('gives what the node has where a container has no limit', () => {
    const container = { name: 'c', resources: { limits: { cpu: '1500m' } } };
    const value = (resource: string, divisor?: string): string =>
      resourceValue(pod, { resource, divisor }, container, { memory: 4 * 1024 ** 3 });
    expect([value('limits.cpu'), value('limits.cpu', '1m'), value('limits.memory', '1Gi')]).toEqual(['2', '1500', '4']);
  });
});

describe('service variables', () => {
  const service = (namespace: string, name: string, clusterIP: string): Service => ({
    metadata: { namespace, name },
    spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  });
  const services = [service('default', 'kubernetes', '10.96.0.1'), service('ns', 'my-db', '10.96.0.2')];

  it('speaks of the services of the namespace, and of none where links are off', () => {
    const all = serviceVariables(podOf({ containers: [] }), services);
    expect(all.get('MY_DB_SERVICE_HOST')).toBe('10.96.0.2');
    expect(all.get('MY_DB_PORT_80_TCP')).toBe('tcp://10.96.0.2:80');
    expect(all.get('KUBERNETES_SERVICE_PORT_HTTP')).toBe('80');
    const few = serviceVariables(podOf({ containers: [], enableServiceLinks: false }), services);
    expect([few.has('MY_DB_SERVICE_HOST'), few.has('KUBERNETES_SERVICE_HOST')]).toEqual([false, true]);
  });

  it('leaves out headless services', () => {
    expect(serviceVariables(podOf({ containers: [] }), [service('ns', 'h', 'None')]).size).toBe(0);
  });
});

describe('image names', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['a/b:1', 'docker.io/a/b:1'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['ghcr.io/a/b/c:v1', 'ghcr.io/a/b/c:v1'],
    [`x@sha256:${'a'.repeat(64)}`, `docker.io/library/x@sha256:${'a'.repeat(64)}`],
  ])('%s is %s', (short, full) => expect(formatImageName(parseImageName(short))).toBe(full));

  it.each([
    ['Bad Name!', 'invalid reference format: repository name (library/Bad Name!) must be lowercase'],
    ['a b', 'invalid reference format'],
    ['', 'invalid reference format'],
    ['x:', undefined],
  ])('refuses %s', (name, why) => {
    if (why === undefined) return;
    expect(() => parseImageName(name)).toThrow(
      `Failed to apply default image tag "${name}": couldn't parse image name "${name}": ${why}`,
    );
  });

  it('finds the credentials of a registry', async () => {
    const config = {
      auths: { 'https://index.docker.io/v1/': { auth: btoa('me:secret') }, 'ghcr.io': { username: 'g' } },
    };
    const data = {
      text: new Map([['.dockerconfigjson', JSON.stringify(config)]]),
      bytes: new Map(),
      type: '',
      immutable: false,
    };
    const source = { configMap: async () => undefined, secret: async () => data };
    const pod = podOf({ containers: [], imagePullSecrets: [{ name: 's' }] });
    const found = (image: string): Promise<object[]> => pullCredentials(pod, parseImageName(image), source);
    expect(await found('busybox')).toEqual([{ username: 'me', password: 'secret' }]);
    expect(await found('ghcr.io/a/b')).toMatchObject([{ username: 'g' }]);
    expect(await found('quay.io/a/b')).toEqual([]);
  });
});

describe('hosts and DNS', () => {
  const cluster = { dns: '10.96.0.10', domain: 'cluster.local', serviceCidr: '' };
  const host = { servers: ['9.9.9.9'], searches: ['lan'], options: [] };

  it('names the pod, with its domain when it has one', () => {
    const text = hostsFile(
      podOf({ containers: [], subdomain: 's', hostAliases: [{ ip: '1.1.1.1', hostnames: ['x', 'y'] }] }),
      ['10.0.0.9'],
      'cluster.local',
    );
    expect(text).toContain('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n');
    expect(text).toContain('\n10.0.0.9\tp.s.ns.svc.cluster.local\tp\n');
    expect(text).toContain('\n# Entries added by HostAliases.\n1.1.1.1\tx\ty\n');
  });

  it.each([
    [{}, ['10.96.0.10'], ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'lan'], ['ndots:5']],
    [{ dnsPolicy: 'Default' }, ['9.9.9.9'], ['lan'], []],
    [{ hostNetwork: true }, ['9.9.9.9'], ['lan'], []],
    [{ dnsPolicy: 'None', dnsConfig: { nameservers: ['8.8.8.8'] } }, ['8.8.8.8'], [], []],
    [
      { dnsConfig: { options: [{ name: 'ndots', value: '2' }], searches: ['a.b'] } },
      ['10.96.0.10'],
      ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'lan', 'a.b'],
      ['ndots:2'],
    ],
  ])('%j', (spec, servers, searches, options) => {
    expect(dnsConfig(podOf({ containers: [], ...spec }), cluster, host)).toEqual({ servers, searches, options });
  });
});

describe('back-off', () => {
  it('doubles to five minutes and forgets after ten', () => {
    const backoff = new Backoff(RESTART_BACKOFF);
    expect(backoff.check('k', 0, 0)).toBeUndefined();
    const waits: number[] = [];
    let at = 0;
    for (let i = 0; i < 7; i++) {
      backoff.next('k', at, at);
      const wait = backoff.check('k', at, at)?.ms ?? 0;
      waits.push(wait);
      at += wait;
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    expect(backoff.check('k', at + 700_000, at + 700_000)).toBeUndefined();
  });

  it('goes on where an earlier agent stopped', () => {
    const backoff = new Backoff(RESTART_BACKOFF);
    backoff.restore('k', 3, 1000);
    expect(backoff.check('k', 2000, 2000)).toEqual({ ms: 40_000, until: 42_000 });
  });

  it('prints durations as Go does', () => {
    expect([10_000, 80_000, 300_000, 3_600_000].map(goDuration)).toEqual(['10s', '1m20s', '5m0s', '1h0m0s']);
  });
});

describe('actions', () => {
  const healthy: Health = { liveness: () => true, startup: () => true };
  const sandbox = {
    id: 's',
    metadata: { name: 'p', uid: 'u', namespace: 'ns', attempt: 0 },
    state: 'SANDBOX_READY' as const,
    createdAt: '1',
    labels: {},
    annotations: {},
    network: { ip: '10.0.0.1' },
  };
  const status = (name: string, exitCode?: number): RuntimeContainer => ({
    id: `${name}-id`,
    podSandboxId: 's',
    metadata: { name, attempt: 0 },
    state: exitCode === undefined ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED',
    createdAt: '1000000000',
    startedAt: '1000000000',
    finishedAt: exitCode === undefined ? '0' : '2000000000',
    exitCode: exitCode ?? 0,
    image: { image: 'i' },
    imageRef: 'sha256:1',
    reason: '',
    message: '',
    labels: {},
    annotations: {},
    mounts: [],
    logPath: '',
  });
  const runtimeOf = (...statuses: RuntimeContainer[]): PodRuntime => ({
    sandboxes: [sandbox],
    containers: new Map(statuses.map((one) => [one.metadata.name, [one]])),
  });
  const main = { name: 'm' };
  const car = { name: 'car', restartPolicy: 'Always' };
  const init = { name: 'i' };
  const look = { name: 'l' };
  it.each<[string, PodSpec, PodRuntime, object]>([
    ['a new pod', { containers: [main] }, { sandboxes: [], containers: new Map() }, { createSandbox: true }],
    ['an empty sandbox', { containers: [main] }, runtimeOf(), { start: [main] }],
    ['a running pod', { containers: [main] }, runtimeOf(status('m')), { start: [], finish: false }],
    ['init first', { containers: [main], initContainers: [init] }, runtimeOf(), { start: [init] }],
    ['init runs', { containers: [main], initContainers: [init] }, runtimeOf(status('i')), { start: [] }],
    ['init done', { containers: [main], initContainers: [init] }, runtimeOf(status('i', 0)), { start: [main] }],
    ['init again', { containers: [main], initContainers: [init] }, runtimeOf(status('i', 1)), { start: [init] }],
    [
      'init failed',
      { containers: [main], initContainers: [init], restartPolicy: 'Never' },
      runtimeOf(status('i', 1)),
      { finish: true, start: [] },
    ],
    ['a sidecar before all', { containers: [main], initContainers: [car] }, runtimeOf(), { start: [car] }],
    ['a started sidecar', { containers: [main], initContainers: [car] }, runtimeOf(status('car')), { start: [main] }],
    [
      'a sidecar whose pod is done',
      { containers: [main], initContainers: [car], restartPolicy: 'Never' },
      runtimeOf(status('car'), status('m', 0)),
      { finish: true, start: [] },
    ],
    ['always', { containers: [main] }, runtimeOf(status('m', 0)), { start: [main] }],
    [
      'on failure, failed',
      { containers: [main], restartPolicy: 'OnFailure' },
      runtimeOf(status('m', 1)),
      { start: [main] },
    ],
    [
      'on failure, well',
      { containers: [main], restartPolicy: 'OnFailure' },
      runtimeOf(status('m', 0)),
      { finish: true },
    ],
    ['never', { containers: [main], restartPolicy: 'Never' }, runtimeOf(status('m', 1)), { finish: true }],
    [
      'an ephemeral one, which waits for nobody',
      { containers: [main], initContainers: [init], ephemeralContainers: [look] },
      runtimeOf(status('i')),
      { start: [look] },
    ],
    [
      'an ephemeral one that has ended',
      { containers: [main], ephemeralContainers: [look] },
      runtimeOf(status('m'), status('l', 1)),
      { start: [] },
    ],
    [
      'an ephemeral one of a pod that is done',
      { containers: [main], ephemeralContainers: [look], restartPolicy: 'Never' },
      runtimeOf(status('m', 0)),
      { finish: true, start: [] },
    ],
  ])('%s', (_, spec, runtime, expected) => {
    expect(computeActions(podOf(spec), runtime, healthy)).toMatchObject(expected);
  });

  it('kills what is not alive', () => {
    const sick: Health = { liveness: () => false, startup: () => true };
    const { kill } = computeActions(podOf({ containers: [main] }), runtimeOf(status('m')), sick);
    expect(kill).toMatchObject([{ id: 'm-id', message: 'Container m failed liveness probe, will be restarted' }]);
  });

  const input = (spec: PodSpec, runtime: PodRuntime, more: object = {}) => ({
    pod: podOf(spec),
    runtime,
    nodeIp: '1.2.3.4',
    waiting: new Map<string, { reason: string; message: string }>(),
    messages: new Map<string, string>(),
    ready: () => true,
    started: () => true,
    terminal: false,
    ...more,
  });
  it.each<[string, PodSpec, PodRuntime, object, string]>([
    ['creating', { containers: [main] }, runtimeOf(), {}, 'Pending'],
    ['running', { containers: [main] }, runtimeOf(status('m')), {}, 'Running'],
    ['crashing', { containers: [main] }, runtimeOf(status('m', 1)), {}, 'Running'],
    ['succeeded', { containers: [main], restartPolicy: 'Never' }, runtimeOf(status('m', 0)), {}, 'Succeeded'],
    ['failed', { containers: [main], restartPolicy: 'Never' }, runtimeOf(status('m', 2)), {}, 'Failed'],
    ['deleted, well', { containers: [main] }, runtimeOf(status('m', 0)), { terminal: true }, 'Succeeded'],
    ['deleted, killed', { containers: [main] }, runtimeOf(status('m', 137)), { terminal: true }, 'Failed'],
    ['initializing', { containers: [main], initContainers: [init] }, runtimeOf(status('i')), {}, 'Pending'],
  ])('phase: %s', (_, spec, runtime, more, phase) => {
    expect(podStatus(input(spec, runtime, more)).phase).toBe(phase);
  });

  it('shows why a container waits, and what it ended with', () => {
    const waiting = new Map([['m', { reason: 'CrashLoopBackOff', message: 'back-off' }]]);
    const [shown] =
      podStatus(input({ containers: [main] }, runtimeOf(status('m', 3)), { waiting })).containerStatuses ?? [];
    expect(shown).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
      lastState: { terminated: { exitCode: 3, reason: 'Error', finishedAt: '1970-01-01T00:00:02Z' } },
      ready: false,
    });
  });

  it('writes only what differs, and takes back what is no more', () => {
    const want = podStatus(input({ containers: [main] }, runtimeOf(status('m'))));
    const pod = { ...podOf({ containers: [main] }), status: want };
    expect(covers(pod.status, want)).toBe(true);
    const old = { ...want, message: 'gone', podIPs: [{ ip: '9.9.9.9' }] };
    expect(covers(old, want)).toBe(false);
    expect(statusPatch({ ...pod, status: old }, want)).toMatchObject({
      metadata: { uid: 'u' },
      status: { message: null, podIPs: [{ ip: '10.0.0.1' }, { $patch: 'delete', ip: '9.9.9.9' }] },
    });
  });
});

describe('volumes', () => {
  it('swaps all files at once and removes what is gone', async () => {
    const file = (text: string) => ({ data: Buffer.from(text), mode: 0o640 });
    expect(
      await writeAtomically(
        folder,
        new Map([
          ['a', file('1')],
          ['d/b', file('2')],
        ]),
      ),
    ).toBe(true);
    const first = readlinkSync(join(folder, '..data'));
    expect(
      await writeAtomically(
        folder,
        new Map([
          ['a', file('1')],
          ['d/b', file('2')],
        ]),
      ),
    ).toBe(false);
    expect(await writeAtomically(folder, new Map([['a', file('3')]]))).toBe(true);
    expect(readlinkSync(join(folder, '..data'))).not.toBe(first);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('3');
    expect(() => readlinkSync(join(folder, 'd'))).toThrow();
  });

  it.each(['../x', '/x', 'a/../../x', '..data', ''])('refuses the path "%s"', async (path) => {
    await expect(writeAtomically(folder, new Map([[path, { data: Buffer.alloc(0), mode: 0o644 }]]))).rejects.toThrow(
      'invalid path',
    );
  });

  it('keeps subPaths inside of their volume', async () => {
    mkdirSync(join(folder, 'v'));
    symlinkSync('/etc', join(folder, 'v', 'out'));
    expect(await resolveSubPath(join(folder, 'v'), 'a/b')).toMatch(/v\/a\/b$/);
    await expect(resolveSubPath(join(folder, 'v'), 'out/x')).rejects.toThrow('there is no out/x inside the volume');
    await expect(resolveSubPath(join(folder, 'v'), '../x')).rejects.toThrow('must not leave');
    const asItIs = { make: false };
    expect(await resolveSubPath(join(folder, 'v'), 'a/b', asItIs)).toMatch(/v\/a\/b$/);
    await expect(resolveSubPath(join(folder, 'v'), 'a/c', asItIs)).rejects.toThrow('there is no a/c inside the volume');
    expect(existsSync(join(folder, 'v/a/c'))).toBe(false);
  });
});

describe('logs', () => {
  const read = async (options: Partial<LogOptions>): Promise<string> => {
    const source = { path: join(folder, '0.log'), isRunning: async () => false };
    const chunks: Buffer[] = [];
    for await (const chunk of streamLog(source, { namespace: 'n', pod: 'p', container: 'c', ...options }))
      chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  beforeEach(() => {
    writeFileSync(join(folder, '0.log.20260101'), '2026-01-01T00:00:00.000000000Z stdout F one\n');
    writeFileSync(
      join(folder, '0.log'),
      '2026-01-01T00:00:01.000000000Z stdout P tw\n2026-01-01T00:00:01.000000001Z stdout F o\n' +
        '2026-01-01T00:00:02.000000000Z stderr F three\nnot a record\n',
    );
  });
  it.each<[Partial<LogOptions>, string]>([
    [{}, 'one\ntwo\nthree\n'],
    [{ follow: true }, 'one\ntwo\nthree\n'],
    [{ tailLines: 0 }, ''],
    [{ tailLines: 2 }, 'three\n'],
    [{ tailLines: 100 }, 'one\ntwo\nthree\n'],
    [{ limitBytes: 5 }, 'one\nt'],
    [{ stream: 'Stderr' }, 'three\n'],
    [{ sinceTime: '2026-01-01T00:00:02Z' }, 'three\n'],
    [{ stream: 'Stderr', timestamps: true }, '2026-01-01T00:00:02.000000000Z three\n'],
  ])('%j', async (options, text) => expect(await read(options)).toBe(text));
});

describe('the pause image', () => {
  it.runIf(process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch))(
    'waits, and dies when it is killed',
    async () => {
      const file = join(folder, 'pause');
      writeFileSync(file, pauseBinary(process.arch === 'x64' ? 'x64' : 'arm64'), { mode: 0o755 });
      const child = spawn(file, { stdio: 'ignore' });
      const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      const ignored = (): bigint => {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        return BigInt(`0x${/SigIgn:\s+([0-9a-f]+)/.exec(status)?.[1]}`);
      };
      // SIGCHLD is signal 17: bit 16 of the ignored ones.
      await expect.poll(() => ignored() & (1n << 16n)).toBe(1n << 16n);
      expect(child.exitCode).toBeNull();
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
    },
  );

  it('is made for both architectures', () => {
    expect(pauseBinary('x64').readUInt16LE(18)).toBe(62);
    expect(pauseBinary('arm64').readUInt16LE(18)).toBe(183);
  });

  it('tar archives have their parents', () => {
    const archive = tar([{ path: 'a/b', data: Buffer.from('x') }]);
    expect([archive.toString('utf8', 0, 2), archive.toString('utf8', 512, 515), archive.length]).toEqual([
      'a/',
      'a/b',
      2560,
    ]);
  });
});

describe('options and tokens', () => {
  it('reads the command line', () => {
    const options = parseOptions([
      '--server',
      'https://x',
      '--node-ip',
      '1.2.3.4',
      '--labels',
      'a=b,c=',
      '--stop-pods',
    ]);
    expect(options).toMatchObject({
      server: 'https://x',
      nodeIp: '1.2.3.4',
      labels: { a: 'b', c: '' },
      stopPods: true,
    });
  });
  it.each([[[]], [['--server', 'x']], [['--server', 'https://x', '--labels', '=b']], [['--nonsense']]])(
    'refuses %j',
    (args) => {
      expect(() => parseOptions([...args, '--node-ip', '1.1.1.1'])).toThrow(UsageError);
    },
  );
  it('reads when a token ends', () => {
    const token = `x.${Buffer.from('{"iat":1,"exp":3}').toString('base64url')}.y`;
    expect(lifetime(token)).toEqual({ issuedAt: 1000, expiresAt: 3000 });
    expect(lifetime('junk')).toBeUndefined();
  });
});
