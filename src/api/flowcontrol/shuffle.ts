/** Shuffle sharding: each flow has a hand of the queues, so that two flows seldom have all of theirs in common (upstream's `shufflesharding`). */

/** Nobody outside can tell which flows share queues. An isolate has no random numbers before its first request. */
let secret: number | undefined;

function ownSeed(): number {
  secret ??= crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return secret;
}

/** A number of 32 bits for a flow. */
export function hashOf(flow: string, seed = ownSeed()): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < flow.length; i++) hash = Math.imul(hash ^ flow.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** The hand that a flow is dealt: `size` different queues of `queues`, always the same ones. */
export function handOf(hash: number, queues: number, size: number): number[] {
  const next = random(hash);
  // The first cards of a pack that is shuffled only as far as it is dealt.
  const moved = new Map<number, number>();
  const hand: number[] = [];
  for (let i = 0; i < Math.min(size, queues); i++) {
    const at = i + (next() % (queues - i));
    hand.push(moved.get(at) ?? at);
    moved.set(at, moved.get(i) ?? i);
  }
  return hand;
}

/** Numbers of 32 bits that follow from a first one (splitmix32). */
function random(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
