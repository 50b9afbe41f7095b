import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../../src/controllers/client/fake.ts';
import { EventMemory, EventRecorder } from '../../src/controllers/events.ts';
import type { Event, Pod } from '../../src/generated/types/core.v1.ts';

const about = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: `u-${name}` },
});

function recorder() {
  let time = Date.parse('2026-01-01T00:00:00Z');
  const cluster = new FakeCluster(() => time);
  const events = new EventRecorder(cluster, 'test-controller', new EventMemory(), () => time);
  const all = () => cluster.all<Event>('core/events').map(({ message, count }) => `${count} ${message}`);
  const advance = (ms: number) => {
    time += ms;
  };
  return { cluster, events, all, advance };
}

describe('events', () => {
  it('are core/v1 Events of the component', async () => {
    const { cluster, events } = recorder();
    events.record(about('p'), 'Warning', 'Why', 'what');
    await events.flush();
    const [event] = cluster.all<Event>('core/events');
    expect(event?.metadata.name).toMatch(/^p\.[0-9a-f]{16}$/);
    expect(event).toMatchObject({
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u-p' },
      type: 'Warning',
      reason: 'Why',
      message: 'what',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'test-controller' },
      reportingComponent: 'test-controller',
    });
  });

  it('are counted when they repeat, and made anew when they expired', async () => {
    const { cluster, events, all } = recorder();
    for (let i = 0; i < 3; i++) events.record(about('p'), 'Normal', 'Why', 'what');
    await events.flush();
    expect(all()).toEqual(['3 what']);
    await cluster.delete('core/events', 'ns', cluster.all('core/events')[0]?.metadata.name ?? '');
    events.record(about('p'), 'Normal', 'Why', 'what');
    await events.flush();
    expect(all()).toEqual(['1 what']);
  });

  it('are combined from the tenth on, and dropped after 25', async () => {
    const { events, all, advance } = recorder();
    for (let i = 0; i < 40; i++) events.record(about('p'), 'Normal', 'Why', `what ${i}`);
    await events.flush();
    expect(all()).toHaveLength(10);
    expect(all()[9]).toBe('16 (combined from similar events): what 24');
    advance(700_000);
    events.record(about('p'), 'Normal', 'Why', 'later');
    await events.flush();
    expect(all()[10]).toBe('1 later');
  });

  it('fail nobody', async () => {
    const { cluster, events, all } = recorder();
    cluster.admit = () => {
      throw new Error('full');
    };
    events.record(about('p'), 'Normal', 'Why', 'what');
    await events.flush();
    expect(all()).toEqual([]);
  });
});
