/** The scheduler is killed at random under load: no node is ever asked for more than it has, and every pod gets its node. */
import { expect, it } from 'vitest';
import { makeNode, makePod } from '../bench/scheduling-cases.ts';
import { World } from '../support/scheduler-world.ts';

const KILLS = 500;
const NODES = 20;
const CPU = 4000;

/** Numbers that look random and are the same each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const milli = (pod: { spec?: { containers?: { resources?: { requests?: Record<string, string> } }[] } }): number =>
  Number.parseInt(pod.spec?.containers?.[0]?.resources?.requests?.['cpu'] ?? '0', 10);

function checkSums(world: World): void {
  const sums = new Map<string, number>();
  for (const pod of world.pods.values()) {
    const node = pod.spec?.nodeName;
    if (node) sums.set(node, (sums.get(node) ?? 0) + milli(pod));
  }
  for (const [node, sum] of sums) expect(sum, node).toBeLessThanOrEqual(CPU);
}

it(`never double-books a node, killed ${KILLS} times`, async () => {
  const random = generator(36);
  const world = new World();
  for (let i = 0; i < NODES; i++) world.addNode(makeNode(i));
  let kills = 0;
  let serial = 0;
  const late: (() => void)[] = [];
  const arrive = (): void => {
    for (const commit of late.splice(0)) {
      try {
        commit();
      } catch {
        // Refused: it came too late.
      }
    }
  };
  world.interrupt = (when, commit) => {
    // The worst time: when the successor has made up its mind.
    if (when === 'before' && random() < 0.5) arrive();
    if (random() > 0.5) return;
    // A call that is on its way may yet arrive when its sender is gone.
    if (when === 'before' && random() < 0.5) late.push(commit);
    throw new Error('evicted');
  };
  while (kills < KILLS) {
    for (let i = Math.floor(random() * 12); i >= 0 && world.pods.size < 150; i--) {
      world.addPod(makePod(`p-${serial++}`, {}, undefined, `${100 + Math.floor(random() * 15) * 100}m`));
    }
    const keys = [...world.pods.keys()];
    for (let i = Math.floor(random() * 8); i >= 0; i--) world.deletePod(keys[Math.floor(random() * keys.length)] ?? '');
    try {
      await world.turn();
    } catch {
      kills++;
      if (random() < 0.3) arrive();
      await world.restart();
    }
    checkSums(world);
  }
  world.interrupt = () => {};
  // Room enough for all that is left, in the end.
  for (let i = NODES; i < NODES + serial; i++) world.addNode(makeNode(i));
  await world.settle();
  checkSums(world);
  for (const pod of world.pods.values()) expect(pod.spec?.nodeName, pod.metadata.name).toBeTruthy();
});
