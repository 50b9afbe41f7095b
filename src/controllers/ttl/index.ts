/** Tells kubelets by an annotation of their nodes how long they may keep Secrets and ConfigMaps: the larger the cluster, the longer. */

import { isReason } from '../../apimachinery/errors.ts';
import type { Node } from '../../generated/types/core.v1.ts';
import type { Controller } from '../controller.ts';
import { forEachLimited } from '../objects.ts';

const ANNOTATION = 'node.alpha.kubernetes.io/ttl';
const ALL = '#all';

/** Sizes of clusters and what is right for them. They overlap, so that one node more or less changes nothing. */
const STEPS = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: Number.POSITIVE_INFINITY, seconds: 300 },
];

/** What the annotation says for a cluster of this size, when it says `current` now. */
export function ttlSeconds(nodes: number, current: number): number {
  let step = Math.max(
    0,
    STEPS.findIndex(({ seconds }) => seconds === current),
  );
  while (nodes > (STEPS[step]?.to ?? nodes)) step++;
  while (nodes < (STEPS[step]?.from ?? nodes)) step--;
  return STEPS[step]?.seconds ?? 0;
}

const annotated = ({ metadata }: Node): string | undefined => metadata.annotations?.[ANNOTATION];

/** Upstream's `ttl-controller`. */
export const ttlController: Controller = {
  name: 'ttl-controller',
  watches: [
    {
      resource: 'core/nodes',
      async keys(change) {
        if (change.type !== 'MODIFIED') return [ALL];
        const node = (await change.object()) as Node | undefined;
        const previous = change.previous as Node | undefined;
        return node !== undefined && previous !== undefined && annotated(node) === annotated(previous) ? [] : [ALL];
      },
    },
  ],
  async reconcile(client) {
    const { items } = await client.list<Node>('core/nodes');
    const current = Math.max(0, ...items.map((node) => Number(annotated(node) ?? 0) || 0));
    const wanted = String(ttlSeconds(items.length, current));
    const others = items.filter((node) => annotated(node) !== wanted);
    await forEachLimited(others, 16, async ({ metadata: { name } }) => {
      try {
        await client.patch('core/nodes', '', name, 'merge', { metadata: { annotations: { [ANNOTATION]: wanted } } });
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error;
      }
    });
    return undefined;
  },
};
