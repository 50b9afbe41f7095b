import { describe, expect, it } from 'vitest';
import { SchedulerLab } from '../support/scheduler.ts';

describe('a pod and three nodes', () => {
  async function three(): Promise<SchedulerLab> {
    const lab = new SchedulerLab();
    for (const i of [1, 2, 3]) await lab.node(`sim-${i}`, { labels: { zone: `z${i}` } });
    return lab;
  }

  it('binds, in one transaction, and says so', async () => {
    const lab = await three();
    for (let i = 0; i < 6; i++) await lab.pod(`p${i}`, { cpu: '1' });
    await lab.settle();
    const nodes = [0, 1, 2, 3, 4, 5].map((i) => lab.nodeOf(`p${i}`));
    expect(nodes.sort()).toEqual(['sim-1', 'sim-1', 'sim-2', 'sim-2', 'sim-3', 'sim-3']);
    expect(lab.batches).toEqual([6]);
    expect(lab.events[0]).toMatchObject({ type: 'Normal', reason: 'Scheduled' });
    expect(lab.next).toBeUndefined();
  });

  it.each<[string, Record<string, string>, object, string]>([
    ['too much', { cpu: '100' }, {}, '3 Insufficient cpu'],
    ['unknown resource', { 'example.com/gpu': '1' }, {}, '3 Insufficient example.com/gpu'],
    ['no such label', {}, { nodeSelector: { no: 'where' } }, "3 node(s) didn't match Pod's node affinity/selector"],
  ])('says why not: %s', async (_, requests, spec, reason) => {
    const lab = await three();
    await lab.pod('p', requests, spec);
    await lab.settle();
    expect(lab.why('p')).toContain(`0/3 nodes are available: ${reason}.`);
    expect(lab.events).toEqual([{ pod: 'p', type: 'Warning', reason: 'FailedScheduling', message: lab.why('p') }]);
  });

  it('counts what each node says', async () => {
    const lab = await three();
    await lab.node('sim-4', { taints: [{ key: 'a', effect: 'NoSchedule' }], unschedulable: false });
    await lab.node('sim-5', { unschedulable: true });
    await lab.pod('p', { cpu: '5', memory: '9Gi' });
    await lab.settle();
    const counts =
      '3 Insufficient cpu, 3 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable';
    expect(lab.why('p')).toContain(`0/5 nodes are available: ${counts.split(', ').sort().join(', ')}.`);
  });

  it('waits for a node when there is none', async () => {
    const lab = new SchedulerLab();
    await lab.pod('p');
    await lab.settle();
    expect(lab.why('p')).toBe('no nodes available to schedule pods');
    await lab.node('n');
    await lab.settle();
    expect(lab.nodeOf('p')).toBe('n');
  });
});

describe('what wakes a pod', () => {
  it('is what may help it, and nothing else', async () => {
    const lab = new SchedulerLab();
    await lab.node('n', { allocatable: { cpu: '2' } });
    await lab.pod('first', { cpu: '2' });
    await lab.settle();
    await lab.pod('second', { cpu: '1' });
    await lab.pod('labelled', {}, { nodeSelector: { disk: 'ssd' } });
    await lab.settle();
    expect(lab.nodeOf('second')).toBeUndefined();
    await lab.cluster.patch('core/nodes', '', 'n', 'merge', { metadata: { labels: { disk: 'ssd' } } });
    await lab.after(1);
    expect(lab.nodeOf('labelled')).toBe('n');
    expect(lab.nodeOf('second')).toBeUndefined();
    await lab.remove('first');
    await lab.after(1);
    expect(lab.nodeOf('second')).toBe('n');
  });

  it('is its own gates, taken away', async () => {
    const lab = new SchedulerLab();
    await lab.node('n');
    await lab.pod('p', {}, { schedulingGates: [{ name: 'example.com/wait' }] });
    await lab.settle();
    expect(lab.nodeOf('p')).toBeUndefined();
    expect(lab.next).toBeUndefined();
    await lab.cluster.patch('core/pods', 'default', 'p', 'merge', { spec: { schedulingGates: null } });
    await lab.settle();
    expect(lab.nodeOf('p')).toBe('n');
  });

  it('is time, after five minutes', async () => {
    const lab = new SchedulerLab();
    await lab.node('n');
    await lab.pod('p', { cpu: '100' });
    await lab.settle();
    expect(lab.next).toBe(lab.time + 300_000);
  });
});
