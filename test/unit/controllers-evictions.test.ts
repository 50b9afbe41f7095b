import { describe, expect, it } from 'vitest';
import { decideEvictions } from '../../src/controllers/node-lifecycle/evictions.ts';
import type { Node, Taint } from '../../src/generated/types/core.v1.ts';

const AT = Date.parse('2026-01-01T00:10:00Z');
const UNREACHABLE = 'node.kubernetes.io/unreachable';

const evicting = (agoMs: number): Taint => {
  return { key: UNREACHABLE, effect: 'NoExecute', timeAdded: new Date(AT - agoMs).toISOString() };
};
const node = (name: string, ready: string, zone = '', ...taints: Taint[]): Node => ({
  metadata: { name, labels: zone === '' ? {} : { 'topology.kubernetes.io/zone': zone } },
  spec: { taints },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});
const many = (count: number, ready: string, zone = ''): Node[] =>
  Array.from({ length: count }, (_, i) => node(`${ready}-${zone}-${i}`, ready, zone));
const up = (count: number, zone?: string) => many(count, 'True', zone);
const down = (count: number, zone?: string) => many(count, 'Unknown', zone);

describe('evictions', () => {
  it.each<[string, Node[], { start: number; stop?: number; waitMs?: number }]>([
    ['none while all is well', up(3), { start: 0 }],
    ['of the one node that is down', [...up(2), ...down(1)], { start: 1 }],
    ['of a node that is not ready', [...up(2), node('n', 'False')], { start: 1 }],
    ['of the first of two, and in ten seconds the second', [...up(2), ...down(2)], { start: 1, waitMs: 10_000 }],
    [
      'after the last one’s ten seconds',
      [...up(2), ...down(1), node('n', 'Unknown', '', evicting(4_000))],
      { start: 0, waitMs: 6_000 },
    ],
    ['when they are over', [...up(2), ...down(1), node('n', 'Unknown', '', evicting(10_000))], { start: 1 }],
    ['in each zone by itself', [...up(1, 'a'), ...down(1, 'a'), ...up(1, 'b'), ...down(1, 'b')], { start: 2 }],
    [
      'in a zone that is all down, while another is not',
      [...up(1, 'a'), ...down(3, 'b')],
      { start: 1, waitMs: 10_000 },
    ],
    ['none where most of a small zone is down', [...up(2), ...down(3)], { start: 0 }],
    ['of two, though they are most of the zone', [...up(1), ...down(2)], { start: 1, waitMs: 10_000 }],
    ['slowly where most of a large zone is down', [...up(20), ...down(40)], { start: 1, waitMs: 100_000 }],
    ['none when all nodes are down', [...down(2, 'a'), ...down(1, 'b')], { start: 0 }],
    [
      'called off when all nodes are down',
      [...down(1), node('n', 'Unknown', '', evicting(50_000))],
      { start: 0, stop: 1 },
    ],
    ['none of a node that has yet to say how it is', [...up(1), { metadata: { name: 'new' } }], { start: 0 }],
    ['none without nodes', [], { start: 0 }],
  ])('%s', (_, nodes, { start, stop = 0, waitMs }) => {
    const decided = decideEvictions(nodes, AT);
    expect({ start: decided.start.length, stop: decided.stop.length, waitMs: decided.waitMs }).toEqual({
      start,
      stop,
      waitMs,
    });
  });
});
