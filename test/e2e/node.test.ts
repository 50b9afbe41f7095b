/** A real node: containers through containerd, on the machine that runs the test. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { importImages } from './lab.ts';
import { hasKubectl, isRoot, must } from './support.ts';

const SCRIPT = 'mkdir -p /www; hostname > /www/index.html; echo started; exec httpd -f -p 80 -h /www';

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('a real node', () => {
  let plane: ControlPlane;
  let pod: string;
  const run = (...args: string[]): Promise<string> => must(plane, args);

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    await run('create', 'deployment', 'web', '--image=busybox:1.35', '--replicas=2', '--', 'sh', '-c', SCRIPT);
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    pod = (await run('get', 'pods', '-l', 'app=web', '-o', 'name')).split('\n')[0] as string;
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('answers logs, exec with its exit code, and stdin', async () => {
    await expect.poll(() => run('logs', pod)).toBe('started\n');
    expect(await run('exec', pod, '--', 'hostname')).toBe(`${pod.slice('pod/'.length)}\n`);
    await expect(run('exec', pod, '--', 'sh', '-c', 'exit 3')).rejects.toThrow('ended with 3');
    expect(await must(plane, ['exec', '-i', pod, '--', 'cat'], 'through stdin')).toBe('through stdin');
  });

  it('reaches a Service by address, by name and by node port', async () => {
    await run('expose', 'deployment', 'web', '--port=80', '--type=NodePort');
    const service = JSON.parse(await run('get', 'service', 'web', '-o', 'json')) as {
      spec: { clusterIP: string; ports: { nodePort: number }[] };
    };
    const node = await run(
      'get',
      'nodes',
      '-o',
      'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
    );
    await expect.poll(() => text(`http://${service.spec.clusterIP}/`)).toMatch(/^web-/);
    await expect.poll(() => text(`http://${node}:${service.spec.ports[0]?.nodePort}/`)).toMatch(/^web-/);
    const wget = ['wget', '-qO-', 'http://web.default.svc.cluster.local/'];
    await expect.poll(() => run('exec', pod, '--', 'timeout', '10', ...wget).catch(String)).toMatch(/^web-/);
  });

  it('restarts a container whose process is killed', async () => {
    const id = await run('get', pod, '-o', 'jsonpath={.status.containerStatuses[0].containerID}');
    const socket = join(plane.data, 'node/containerd/containerd.sock');
    const tasks = execFileSync('ctr', ['-a', socket, '-n', 'k8s.io', 'tasks', 'ls'], { encoding: 'utf8' });
    const [, pid] = new RegExp(`^${id.replace('containerd://', '')}\\s+(\\d+)`, 'm').exec(tasks) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    const restarts = (): Promise<string> =>
      run('get', pod, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}');
    await expect.poll(restarts, { interval: 500 }).toBe('1');
  });
});

async function text(url: string): Promise<string> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(3000) })).text();
  } catch (error) {
    return String(error);
  }
}
