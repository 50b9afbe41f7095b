/** The agent with a real containerd. Skipped where there is no root, containerd or busybox. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importImages } from '../../agent/runtime/containerd.ts';
import { FakeApi, type FakeObject } from '../support/fake-api.ts';
import { BUSYBOX_IMAGE, busyboxImage, writeImages } from '../support/images.ts';

const able =
  process.getuid?.() === 0 &&
  ['/usr/bin/containerd', '/usr/bin/ctr', '/bin/busybox', '/usr/lib/cni/bridge'].every((path) => existsSync(path));
const NODE = 'kubelet-test';
const BRIDGE = 'cni-zptest';
const FOREVER = "trap 'exit 0' TERM; sleep 3600 & wait";

interface ContainerStatus {
  containerID?: string;
  ready: boolean;
  restartCount: number;
  resources?: { limits?: Record<string, string> };
  state: { running?: object; terminated?: { exitCode: number; message?: string }; waiting?: { reason: string } };
}

interface Status {
  phase?: string;
  podIP?: string;
  conditions?: { type: string; status: string }[];
  containerStatuses?: ContainerStatus[];
}

describe.skipIf(!able)('the agent with containerd', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'zp-agent-'));
  const dataDir = join(folder, 'node');
  const api = new FakeApi();
  let agent: ChildProcess | undefined;
  let output = '';

  const startAgent = (...more: string[]): void => {
    const entry = join(import.meta.dirname, '../../agent/main.ts');
    const args = [
      '--server',
      api.url,
      '--node-name',
      NODE,
      '--node-ip',
      '127.0.0.9',
      '--data',
      dataDir,
      '--kubelet-only',
    ];
    const token = join(folder, 'token');
    agent = spawn(process.execPath, [entry, ...args, '--token-file', token, ...more], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    agent.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  };
  const endAgent = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = new Promise((resolve) => agent?.once('exit', resolve));
    agent?.kill(signal);
    await ended;
  };
  const pod = (name: string): FakeObject | undefined => api.get('core/pods', 'default', name);
  const status = (name: string): Status => (pod(name)?.['status'] ?? {}) as Status;
  const container = (name: string): ContainerStatus | undefined => status(name).containerStatuses?.[0];
  const until = async (what: string, check: () => boolean): Promise<void> => {
    const deadline = Date.now() + 60_000;
    while (!check()) {
      if (Date.now() > deadline) throw new Error(`${what} did not happen\n${output.slice(-3000)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const isReady = (name: string): boolean =>
    status(name).conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  const createPod = (name: string, command: string, spec: object = {}, more: object = {}): void => {
    api.put('core/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app: name } },
      spec: {
        nodeName: NODE,
        terminationGracePeriodSeconds: 2,
        containers: [{ name: 'main', image: BUSYBOX_IMAGE, command: ['sh', '-c', command], ...more }],
        ...spec,
      },
      status: { phase: 'Pending' },
    });
  };

  beforeAll(async () => {
    mkdirSync(join(dataDir, 'cni/net.d'), { recursive: true });
    writeFileSync(join(folder, 'token'), 'token');
    const ipam = {
      type: 'host-local',
      dataDir: join(dataDir, 'cni/state'),
      ranges: [[{ subnet: '10.99.8.0/24' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    };
    const plugins = [{ type: 'bridge', bridge: BRIDGE, isGateway: true, ipMasq: false, ipam }];
    const list = { cniVersion: '1.0.0', name: 'zptest', plugins };
    writeFileSync(join(dataDir, 'cni/net.d/10-test.conflist'), JSON.stringify(list));
    await api.start();
    startAgent();
    await until('containerd', () => existsSync(join(dataDir, 'containerd/containerd.sock')));
    writeImages(join(folder, 'images.tar'), [busyboxImage()]);
    await until('the node', () => api.get('core/nodes', '', NODE) !== undefined);
    await importImages(join(dataDir, 'containerd/containerd.sock'), join(folder, 'images.tar'));
  }, 180_000);

  afterAll(async () => {
    if (agent?.exitCode === null) await endAgent('SIGKILL');
    // Earlier agents said that they run, too.
    output = '';
    startAgent('--stop-pods');
    await until('the last start', () => output.includes('the node is running')).catch(() => {});
    await endAgent('SIGTERM');
    await api.stop();
    try {
      execFileSync('ip', ['link', 'delete', BRIDGE], { stdio: 'ignore' });
    } catch {
      // It was never made.
    }
    // The last of its mounts may be a moment late to go.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  }, 180_000);

  it('registers the node and says that it is ready', async () => {
    await until('Ready', () => {
      const node = api.get('core/nodes', '', NODE)?.['status'] as Status | undefined;
      return node?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    });
    await until('the lease', () => api.get('coordination.k8s.io/leases', 'kube-node-lease', NODE) !== undefined);
  });

  it('runs a pod until it is deleted', async () => {
    createPod('plain', FOREVER);
    await until('Ready', () => isReady('plain'));
    expect(status('plain')).toMatchObject({ phase: 'Running', podIP: expect.stringMatching(/^10\.99\.8\./) });
    api.markDeleted('default', 'plain', 2);
    await until('the end', () => pod('plain') === undefined);
  });

  it('keeps containers running when it is killed, and takes them over again', async () => {
    createPod('kept', FOREVER);
    await until('Ready', () => isReady('kept'));
    const before = container('kept');
    await endAgent('SIGKILL');
    const events = api.all('core/events').length;
    createPod('meanwhile', 'exit 7', { restartPolicy: 'Never' });
    startAgent();
    await until('Failed', () => status('meanwhile').phase === 'Failed');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(container('kept')).toEqual(before);
    const told = api.all('core/events').slice(events) as unknown as { involvedObject: { name: string } }[];
    expect(told.filter(({ involvedObject }) => involvedObject.name === 'kept')).toEqual([]);
  });

  it('does a resize that came while it was away, and the next one', async () => {
    const limits = { cpu: '100m', memory: '64Mi' };
    createPod('sized', FOREVER, {}, { resources: { limits, requests: limits } });
    await until('Ready', () => isReady('sized'));
    const resize = (cpu: string, generation: number): void => {
      const old = pod('sized');
      const spec = old?.['spec'] as { containers: object[] };
      const wanted = { cpu, memory: '64Mi' };
      const containers = [{ ...spec.containers[0], resources: { limits: wanted, requests: wanted } }];
      api.put('core/pods', {
        ...old,
        metadata: { ...old?.metadata, name: 'sized', generation },
        spec: { ...spec, containers },
      } as FakeObject);
    };
    const has = (cpu: string): boolean =>
      container('sized')?.resources?.limits?.['cpu'] === cpu &&
      status('sized').conditions?.some(({ type }) => type.includes('Resize')) === false;
    await endAgent('SIGKILL');
    resize('200m', 2);
    startAgent();
    await until('the first resize', () => has('200m'));
    resize('50m', 3);
    await until('the second resize', () => has('50m'));
    expect(container('sized')?.restartCount).toBe(0);
    const told = (): string[] =>
      (api.all('core/events') as unknown as { reason: string; involvedObject: { name: string } }[])
        .filter(({ involvedObject, reason }) => involvedObject.name === 'sized' && reason.startsWith('Resize'))
        .map(({ reason }) => reason);
    await until('four events', () => told().length >= 4);
    expect(told()).toEqual(['ResizeStarted', 'ResizeCompleted', 'ResizeStarted', 'ResizeCompleted']);
  });

  it('goes on when the API server was away', async () => {
    await api.stop();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await api.start();
    createPod('after', 'echo -n done > /dev/termination-log', { restartPolicy: 'Never' });
    await until('Succeeded', () => status('after').phase === 'Succeeded');
    expect(container('after')?.state.terminated).toMatchObject({ exitCode: 0, message: 'done' });
    expect(container('kept')?.restartCount).toBe(0);
  });

  it('starts containerd again when it was killed; pods go on', async () => {
    const pid = Number(readFileSync(join(dataDir, 'containerd/pid'), 'utf8'));
    const before = container('kept');
    process.kill(pid, 'SIGKILL');
    await until('a new containerd', () => Number(readFileSync(join(dataDir, 'containerd/pid'), 'utf8')) !== pid);
    createPod('later', 'exit 0', { restartPolicy: 'Never' });
    await until('Succeeded', () => status('later').phase === 'Succeeded');
    expect(container('kept')).toEqual(before);
  });

  it('restarts what crashes and counts', async () => {
    createPod('crash', 'sleep 0.2; exit 1');
    await until('a restart', () => container('crash')?.restartCount === 1);
    api.markDeleted('default', 'crash', 0);
    await until('the end', () => pod('crash') === undefined);
  });

  it('kills what fails its liveness probe', async () => {
    const livenessProbe = { exec: { command: ['test', '-e', '/alive'] }, periodSeconds: 1, failureThreshold: 1 };
    createPod('unwell', `touch /alive; sleep 2; rm /alive; ${FOREVER}`, {}, { livenessProbe });
    await until('a restart', () => (container('unwell')?.restartCount ?? 0) >= 1);
    const messages = (): unknown[] => api.all('core/events').map((event) => event['message']);
    await until('an event', () => messages().includes('Container main failed liveness probe, will be restarted'));
  });

  it('leaves nothing of a pod that vanished while it was away', async () => {
    const uid = String(pod('kept')?.metadata['uid']);
    await endAgent('SIGKILL');
    api.remove('core/pods', 'default', 'kept');
    startAgent();
    await until('the clean-up', () => !existsSync(join(dataDir, 'pods', uid)));
  });
});
