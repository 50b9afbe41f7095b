/** What a real node's containers use: `kubectl top`, and an autoscaler that goes by it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { importImages } from './lab.ts';
import { hasKubectl, isRoot, must } from './support.ts';

/** Uses a fifth of a core or so: as much as it needs to wake up a hundred times a second, and then some. */
const BUSY = 'while true; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; usleep 10000; done';
/** The node samples every 15 s, and two samples make a rate; the autoscaler looks every 15 s. */
const MEASURED = { timeout: 180_000, interval: 1_000 };

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('metrics of a real node', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    await run('create', 'deployment', 'busy', '--image=busybox:1.35', '--', 'sh', '-c', BUSY);
    await run('set', 'resources', 'deployment/busy', '--requests=cpu=50m');
    await run('rollout', 'status', 'deployment/busy', '--timeout=90s');
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('kubectl top shows them', async () => {
    const top = (...args: string[]): Promise<string> => run('top', ...args, '--no-headers').catch(() => '');
    await expect.poll(() => top('pods'), MEASURED).toMatch(/^busy-\S+ +[1-9]\d*m +\d+Mi\s*$/);
    expect(await top('pods', '-l', 'app=busy', '--containers')).toMatch(/^busy-\S+ +busybox +[1-9]\d*m +\d+Mi\s*$/);
    expect(await top('pods', '-l', 'app=other')).toBe('');
    await expect.poll(() => top('nodes'), MEASURED).toMatch(/^\S+ +[1-9]\d*m +\d+% +\d+Mi +\d+%\s*$/);
    expect(await run('get', 'podmetrics.metrics.k8s.io')).toMatch(
      /^NAME +CPU +MEMORY +WINDOW\nbusy-\S+ +\d+n +\d+Ki +[\d.]+s\n$/,
    );
    await expect(run('get', 'podmetrics.metrics.k8s.io', 'none')).rejects.toThrow(
      'podmetrics.metrics.k8s.io "default/none" not found',
    );
  });

  it('an autoscaler adds replicas where more is used than should be', async () => {
    await run('autoscale', 'deployment', 'busy', '--min=1', '--max=2', '--cpu-percent=20');
    const replicas = (): Promise<string> => run('get', 'deployment', 'busy', '-o', 'jsonpath={.spec.replicas}');
    await expect.poll(replicas, MEASURED).toBe('2');
    const events = (): Promise<string> =>
      run('get', 'events', '--field-selector=reason=SuccessfulRescale', '-o', 'name');
    await expect.poll(events).toMatch(/^event\/\S+\n$/);
  });
});
