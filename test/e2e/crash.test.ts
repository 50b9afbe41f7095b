/** Processes killed between any two lines: nothing that was acknowledged is lost, nothing that ran is disturbed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../agent/client.ts';
import { delay } from '../../agent/informer.ts';
import { ROOT } from '../../cli/command.ts';
import { type ControlPlane, freePort, runtimePid, startControlPlane } from '../../cli/harness/control-plane.ts';
import { endRemains } from '../../cli/harness/remains.ts';
import { agentPid, importImages } from './lab.ts';
import { hasKubectl, isRoot, KUBECTL, kubectl, must } from './support.ts';

/** Is ready when it is told so. */
const LATE = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: late}
spec:
  selector: {matchLabels: {app: late}}
  template:
    metadata: {labels: {app: late}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: busybox:1.35
        command: [sleep, infinity]
        readinessProbe: {exec: {command: [test, -e, /ready]}, periodSeconds: 1}
`;

interface PodList {
  items: {
    metadata: { name: string };
    status: { containerStatuses: { containerID: string; restartCount: number; ready: boolean }[] };
  }[];
}

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('after kill -9', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const containers = async (): Promise<Record<string, string>> => {
    const { items } = JSON.parse(await run('get', 'pods', '-l', 'app=web', '-o', 'json')) as PodList;
    return Object.fromEntries(
      items.map(({ metadata, status }) => {
        const [container] = status.containerStatuses;
        return [metadata.name, `${container?.containerID} ${container?.restartCount} ${container?.ready}`];
      }),
    );
  };

  const running: ChildProcess[] = [];
  /** A kubectl that goes on beside the test. */
  const start = (...args: string[]): { child: ChildProcess; output(): string } => {
    const child = spawn(KUBECTL, args, { env: { ...process.env, KUBECONFIG: plane.kubeconfig } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    running.push(child);
    return { child, output: () => output };
  };

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    await run('create', 'deployment', 'web', '--image=busybox:1.35', '--replicas=2', '--', 'sleep', 'infinity');
    await must(plane, ['apply', '-f', '-'], LATE);
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    await run('wait', '--for=jsonpath={.status.phase}=Running', 'pod', '-l', 'app=late', '--timeout=90s');
  });
  afterAll(async () => {
    for (const child of running) child.kill();
    await plane?.stop();
  });

  it('of workerd, every acknowledged object is there, watches go on, containers were not touched', async () => {
    const before = await containers();
    const client = clientOf(plane);
    const first = await client.list('core/configmaps', { namespace: 'default' });
    const watching = new AbortController();
    const seen: string[] = [];
    const watch = follow(client, first.resourceVersion, watching.signal, (name) => seen.push(name));
    const shown = start('get', 'configmaps', '-w', '-o', 'name');
    await expect.poll(shown.output).toContain('configmap/kube-root-ca.crt');
    const waiting = start('rollout', 'status', 'deployment/late', '--timeout=240s');
    await expect.poll(waiting.output).toContain('0 of 1 updated replicas are available');

    const acknowledged: string[] = [];
    let creating = true;
    const loop = async (worker: number): Promise<void> => {
      for (let i = 0; creating; i++) {
        const name = `kept-${worker}-${i}`;
        // What was under way when the server died may be there or not: only an answer counts.
        const isThere = await create(client, name);
        if (isThere) acknowledged.push(name);
      }
    };
    const loops = Array.from({ length: 8 }, (_, worker) => loop(worker));
    for (let kills = 0; kills < 2; kills++) {
      const sofar = acknowledged.length;
      await expect.poll(() => acknowledged.length, { interval: 5 }).toBeGreaterThan(sofar + 100);
      process.kill(runtimePid(plane), 'SIGKILL');
    }
    const atKill = acknowledged.length;
    await expect.poll(() => acknowledged.length).toBeGreaterThan(atKill + 100);
    creating = false;
    await Promise.all(loops);

    const { items } = await client.list('core/configmaps', { namespace: 'default' });
    const kept = new Set(items.map(({ metadata }) => metadata.name));
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
    // Resumed from where it was cut off, it has told everything once and nothing twice.
    const old = new Set(first.items.map(({ metadata }) => metadata.name));
    await expect.poll(() => [...seen].sort()).toEqual([...kept].filter((name) => !old.has(name)).sort());
    watching.abort();
    await watch;
    expect(await containers()).toEqual(before);

    // As upstream, `get -w` ends with its connection; what waits for a state goes on with another one.
    await expect.poll(() => shown.child.exitCode).toBe(0);
    expect(
      shown
        .output()
        .split('\n')
        .filter((line) => line !== '' && !kept.has(line.replace('configmap/', ''))),
    ).toEqual([]);
    await expect
      .poll(() => kubectl(plane, ['exec', 'deployment/late', '--', 'touch', '/ready']))
      .toMatchObject({ code: 0 });
    await expect.poll(() => waiting.child.exitCode).toBe(0);
    expect(waiting.output()).toContain('deployment "late" successfully rolled out');
  });

  it('of the agent, containers go on and the next agent adopts them', async () => {
    const before = await containers();
    const first = agentPid(plane);
    process.kill(first, 'SIGKILL');
    await expect.poll(() => agentPidOr(plane, first)).not.toBe(first);
    await run('scale', 'deployment', 'web', '--replicas=4');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    expect(await containers()).toMatchObject(before);
    await expect.poll(() => run('exec', 'deployment/web', '--', 'echo', 'alive').catch(String)).toBe('alive\n');
  });

  it('of containerd, containers go on and the next containerd has them', async () => {
    const before = await containers();
    const pidFile = join(plane.data, 'node/containerd/pid');
    const first = readFileSync(pidFile, 'utf8');
    process.kill(Number(first), 'SIGKILL');
    await expect.poll(() => readFileSync(pidFile, 'utf8')).not.toBe(first);
    await run('scale', 'deployment', 'web', '--replicas=5');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    expect(await containers()).toMatchObject(before);
    await expect.poll(() => run('exec', 'deployment/web', '--', 'echo', 'alive').catch(String)).toBe('alive\n');
  });

  it.each([
    ['the launcher', (): number[] => [plane.process.pid as number]],
    ['everything', (): number[] => [plane.process.pid as number, agentPid(plane), runtimePid(plane)]],
  ])('of %s, the next start takes over what is left', async (_, killed) => {
    const before = await containers();
    const { data, port } = plane;
    const old = [agentPid(plane), runtimePid(plane)];
    const ended = new Promise((resolve) => plane.process.once('exit', resolve));
    for (const pid of killed()) process.kill(pid, 'SIGKILL');
    await ended;
    plane = await startControlPlane({ nodes: 'real', data, port });
    const { stop } = plane;
    plane.stop = () => stop({ keepData: false });
    for (const pid of old) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await run('scale', 'deployment', 'web', '--replicas=6');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    expect(await containers()).toMatchObject(before);
  });

  it('of a container again and again, it is restarted with back-off', async () => {
    await run('run', 'failing', '--image=busybox:1.35', '--', 'sh', '-c', 'exit 7');
    const status = async (): Promise<unknown> =>
      JSON.parse(await run('get', 'pod', 'failing', '-o', 'jsonpath={.status.containerStatuses[0]}'));
    const message = expect.stringMatching(/^back-off \d+s restarting failed container=failing pod=failing_default\(/);
    await expect.poll(status).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff', message } },
      lastState: { terminated: { exitCode: 7 } },
      restartCount: expect.toSatisfy((count) => count > 0),
    });
    const events = (): Promise<string> =>
      run('get', 'events', '--field-selector', 'involvedObject.name=failing', '-o', 'name');
    await expect.poll(async () => (await events()).split('\n').length).toBeGreaterThan(3);
    await expect
      .poll(() => run('describe', 'pod', 'failing'))
      .toMatch(/BackOff\s.*Back-off restarting failed container failing/);
  });

  it('of the agent, a stop while the server does not answer leaves nothing', async () => {
    const processes = (): string => spawnSync('pgrep', ['-af', `${plane.data}/`], { encoding: 'utf8' }).stdout;
    const adoptions = (): number =>
      readFileSync(join(plane.data, 'logs/agent.log'), 'utf8').split('adopted the running containerd').length;
    const before = adoptions();
    const ended = new Promise((resolve) => plane.process.once('exit', resolve));
    expect(processes().split('\n').length).toBeGreaterThan(6);
    // Without a server that answers it does not learn which pods there are.
    process.kill(runtimePid(plane), 'SIGSTOP');
    process.kill(agentPid(plane), 'SIGKILL');
    await expect.poll(adoptions, { interval: 5 }).toBe(before + 1);
    plane.process.kill('SIGTERM');
    await ended;
    await expect.poll(processes).toBe('');
  });
});

describe.skipIf(!isRoot && process.env['CI'] !== 'true')('npm start in a terminal', () => {
  it('ends in order when the terminal is closed', async () => {
    const data = mkdtempSync(join(tmpdir(), 'zeroplane-'));
    const file = (name: string): string => join(data, name);
    const args = ['up', '--port', String(await freePort()), '--data', data, '--kubeconfig', file('kubeconfig')];
    const command = [process.execPath, join(ROOT, 'cli/main.ts'), ...args, '--nodes', 'simulated=1', '--yes'].join(' ');
    const terminal = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      let shown = '';
      terminal.stdout.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
      });
      await expect.poll(() => shown, { timeout: 180_000 }).toMatch(/^ready\r?$/m);
      expect(existsSync(file('lock'))).toBe(true);
      const pid = runtimePid({ data });
      terminal.kill('SIGKILL');
      await expect.poll(() => existsSync(file('lock'))).toBe(false);
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(existsSync(file('workerd.pid'))).toBe(false);
    } finally {
      terminal.kill('SIGKILL');
      await endRemains(data);
      rmSync(data, { recursive: true, force: true });
    }
  });
});

/** The agent's pid, or the one given while there is none. */
function agentPidOr(plane: ControlPlane, otherwise: number): number {
  try {
    return agentPid(plane);
  } catch {
    return otherwise;
  }
}

function clientOf({ server, token, data }: ControlPlane): HttpClient {
  return new HttpClient({ server, token: () => token, ca: readFileSync(join(data, 'pki/ca.crt'), 'utf8') });
}

/** Whether the server has said that it made the object. While there is no server it waits a moment. */
async function create(client: HttpClient, name: string): Promise<boolean> {
  try {
    await client.create('core/configmaps', { metadata: { name, namespace: 'default' } });
    return true;
  } catch {
    await delay(20);
    return false;
  }
}

/** Follows ConfigMaps as a client library does: a watch that was cut off goes on after the last version that it has seen. */
async function follow(
  client: HttpClient,
  from: string,
  signal: AbortSignal,
  onAdded: (name: string) => void,
): Promise<void> {
  let resourceVersion = from;
  while (!signal.aborted) {
    try {
      await client.watch('core/configmaps', { namespace: 'default', resourceVersion, signal }, ({ type, object }) => {
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
        if (type === 'ADDED') onAdded(object.metadata.name);
      });
    } catch {
      await delay(20);
    }
  }
}
