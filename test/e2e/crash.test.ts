/** Processes killed between any two lines: nothing that was acknowledged is lost, nothing that ran is disturbed. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { importImages } from './lab.ts';
import { hasKubectl, isRoot, KUBECTL, kubectl, must } from './support.ts';

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

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    await run('create', 'deployment', 'web', '--image=busybox:1.35', '--replicas=2', '--', 'sleep', 'infinity');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('of workerd, every acknowledged object is there, watches go on, containers were not touched', async () => {
    const before = await containers();
    const seen = new Set<string>();
    const watch = spawn(KUBECTL, ['get', 'configmaps', '-w', '-o', 'name'], {
      env: { ...process.env, KUBECONFIG: plane.kubeconfig },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    watch.stdout.on('data', (chunk: Buffer) => {
      for (const name of chunk.toString().split('\n')) seen.add(name);
    });
    const acknowledged: string[] = [];
    let creating = true;
    const loop = async (worker: number): Promise<void> => {
      for (let i = 0; creating; i++) {
        const name = `kept-${worker}-${i}`;
        const { code } = await kubectl(plane, ['create', 'configmap', name, '--from-literal=a=b']);
        if (code === 0) acknowledged.push(name);
      }
    };
    const loops = [loop(0), loop(1)];
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(8);
    const atKill = acknowledged.length;
    process.kill(workerdPid(plane), 'SIGKILL');
    // The loop sees refused connections until the API serves again, and acknowledged creates after.
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(atKill + 8);
    creating = false;
    await Promise.all(loops);

    const kept = (await run('get', 'configmaps', '-o', 'name')).split('\n');
    for (const name of acknowledged) expect(kept).toContain(`configmap/${name}`);
    watch.kill();
    expect(await containers()).toEqual(before);

    // kubectl ends its watch with the connection; an informer, such as the agent's, resumes.
    await run('scale', 'deployment', 'web', '--replicas=3');
    await run('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect(await containers()).toMatchObject(before);
    expect(seen.size).toBeGreaterThan(0);
  });

  it('of the agent, containers go on and the next agent adopts them', async () => {
    const before = await containers();
    const first = agentPid(plane);
    process.kill(first, 'SIGKILL');
    await expect.poll(() => agentPidOr(plane, first), { timeout: 20_000 }).not.toBe(first);
    await run('scale', 'deployment', 'web', '--replicas=4');
    await run('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect(await containers()).toMatchObject(before);
    expect(await run('exec', 'deployment/web', '--', 'echo', 'alive')).toBe('alive\n');
  });

  it('of everything, the next start finds its objects and its containers', async () => {
    const before = await containers();
    const { data, port } = plane;
    const pids = [plane.process.pid as number, agentPid(plane), workerdPid(plane)];
    const ended = new Promise((resolve) => plane.process.once('exit', resolve));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await ended;
    plane = await startControlPlane({ nodes: 'real', data, port });
    await run('rollout', 'status', 'deployment/web', '--timeout=60s');
    expect(await containers()).toEqual(before);
    const { stop } = plane;
    plane.stop = () => stop({ keepData: false });
  });

  it('of a container again and again, it is restarted with back-off', async () => {
    await run('run', 'failing', '--image=busybox:1.35', '--', 'sh', '-c', 'exit 7');
    const status = (path: string): Promise<string> =>
      run('get', 'pod', 'failing', '-o', `jsonpath={.status.containerStatuses[0].${path}}`);
    await expect.poll(() => status('state.waiting.reason'), { timeout: 60_000 }).toBe('CrashLoopBackOff');
    expect(Number(await status('restartCount'))).toBeGreaterThan(0);
    expect(await status('lastState.terminated.exitCode')).toBe('7');
    expect(await status('state.waiting.message')).toMatch(
      /^back-off \d+s restarting failed container=failing pod=failing_default\(/,
    );
    const events = await run('get', 'events', '--field-selector', 'involvedObject.name=failing', '-o', 'name');
    expect(events.split('\n').length).toBeGreaterThan(3);
    expect(await run('describe', 'pod', 'failing')).toMatch(/BackOff\s.*Back-off restarting failed container failing/);
  });
});

const workerdPid = (plane: ControlPlane): number =>
  Number.parseInt(readFileSync(join(plane.data, 'workerd.pid'), 'utf8'), 10);

function agentPid(plane: ControlPlane): number {
  const found = execFileSync('pgrep', ['-P', String(plane.process.pid), '-f', 'agent/main.ts'], { encoding: 'utf8' });
  return Number.parseInt(found, 10);
}

/** The agent's pid, or the one given while there is none. */
function agentPidOr(plane: ControlPlane, otherwise: number): number {
  try {
    return agentPid(plane);
  } catch {
    return otherwise;
  }
}
