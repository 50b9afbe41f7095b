/** What can come next in an expression, and which way that leads. */
import { AFTER, NETWORK, type State } from './grammar.ts';
import type { Kind, Token } from './lexer.ts';

/** A rule that is being read for another: where that goes on. */
export interface Frame {
  follow: State;
  parent: Frame | undefined;
}

/** That the rule can end here. */
export const END = 'end';
export type Expected = Set<Kind | typeof END>;

const isStop = (state: State): boolean => NETWORK[state.rule].stop === state;

/** Tokens that can come at a state, within its rule, or with `frames` within all that it is read for. */
export function nextTokens(state: State, frames?: { top: Frame | undefined }): Expected {
  const found: Expected = new Set();
  const seen = new Set<string>();
  const ids = new Map<State | Frame, number>();
  const id = (thing: State | Frame | undefined): number => {
    if (thing === undefined) return 0;
    const known = ids.get(thing) ?? ids.size + 1;
    ids.set(thing, known);
    return known;
  };
  const look = (at: State, inner: Frame | undefined): void => {
    const key = `${id(at)} ${id(inner)}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (isStop(at)) {
      if (inner !== undefined) look(inner.follow, inner.parent);
      else found.add(frames === undefined ? END : '<EOF>');
      return;
    }
    for (const { to, on, call } of at.edges) {
      if (on !== undefined) for (const kind of on) found.add(kind);
      else if (call === undefined) look(to, inner);
      else look(NETWORK[call.rule].start, { follow: to, parent: inner });
    }
  };
  look(state, frames?.top);
  return found;
}

interface Path {
  state: State;
  way: number;
  frame: Frame | undefined;
  /** Whether the rule in which was to decide is over. */
  isOver: boolean;
}

/** The way on from a state that must decide, or where it becomes clear that there is none. */
export function predict(state: State, tokens: readonly Token[], from: number): { way: number } | { stuckAt: number } {
  const reading = new Reading();
  let paths = reading.closure(state.edges.map(({ to }, way) => ({ state: to, way, frame: undefined, isOver: false })));
  for (let index = from; ; index++) {
    const kind = tokens[index]?.kind ?? '<EOF>';
    const reached = paths.flatMap((path) =>
      path.state.edges.flatMap(({ to, on }) => (on?.includes(kind) ? [{ ...path, state: to }] : [])),
    );
    if (reached.length === 0) {
      const over = paths.filter(({ isOver }) => isOver).map(({ way }) => way);
      return over.length > 0 ? { way: Math.min(...over) } : { stuckAt: index };
    }
    const ways = new Set(reached.map(({ way }) => way));
    const least = Math.min(...ways);
    if (ways.size === 1 || kind === '<EOF>') return { way: least };
    paths = reading.closure(reached);
    if (reading.isUndecidable(paths, ways.size)) return { way: least };
  }
}

/** Follows ways as far as nothing need be read. */
class Reading {
  private readonly ids = new Map<State, number>();

  closure(paths: readonly Path[]): Path[] {
    const found = new Map<string, Path>();
    const follow = (path: Path): void => {
      const key = `${path.way} ${path.isOver} ${this.key(path)}`;
      if (found.has(key)) return;
      found.set(key, path);
      const { state, frame } = path;
      if (isStop(state)) {
        if (frame !== undefined) follow({ ...path, state: frame.follow, frame: frame.parent });
        else for (const next of AFTER[state.rule]) follow({ ...path, state: next, isOver: true });
        if (frame === undefined) found.set(key, { ...path, isOver: true });
        return;
      }
      for (const { to, on, call } of state.edges) {
        if (on !== undefined) continue;
        if (call === undefined) follow({ ...path, state: to });
        else follow({ ...path, state: NETWORK[call.rule].start, frame: { follow: to, parent: frame } });
      }
    };
    for (const path of paths) follow(path);
    return [...found.values()];
  }

  /** Whether every place is reached by all ways: what follows cannot tell them apart. */
  isUndecidable(paths: readonly Path[], ways: number): boolean {
    const places = new Map<string, Set<number>>();
    for (const path of paths) {
      const key = this.key(path);
      places.set(key, (places.get(key) ?? new Set()).add(path.way));
    }
    return [...places.values()].every(({ size }) => size === ways);
  }

  private key({ state, frame }: { state: State; frame: Frame | undefined }): string {
    const ids = [this.id(state)];
    for (let at = frame; at !== undefined; at = at.parent) ids.push(this.id(at.follow));
    return ids.join();
  }

  private id(state: State): number {
    const known = this.ids.get(state) ?? this.ids.size;
    this.ids.set(state, known);
    return known;
  }
}
