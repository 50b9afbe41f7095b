/** The scheduling framework's extension points, as far as they are used (`framework.Plugin`). */
import type { Pod } from '../../generated/types/core.v1.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** A pod in its scheduling cycle. */
export interface Candidate {
  pod: Pod;
  info: PodInfo;
}

/** Why a node is not for a pod. `unresolvable`: removing other pods would not help. */
export interface Rejection {
  reasons: readonly string[];
  unresolvable: boolean;
}

export interface Plugin {
  /** Upstream's name. */
  name: string;
  /** Default 1. */
  weight?: number;
  /** Why the pod may not even be tried. */
  preEnqueue?(pod: Pod): { reason: string; message: string } | undefined;
  filter?(candidate: Candidate, node: NodeInfo): Rejection | undefined;
  /** 0 to 100 after {@link normalize}; before it, whatever `normalize` takes. */
  score?(candidate: Candidate, node: NodeInfo, nodes: readonly NodeInfo[]): number;
  normalize?: 'higher' | 'lower';
}

export const MAX_SCORE = 100;

/** Scales raw scores to 0..100, in place; `lower`: the smallest raw score is the best (`DefaultNormalizeScore`). */
export function normalize(scores: number[], order: 'higher' | 'lower'): void {
  const most = Math.max(0, ...scores);
  for (const [i, raw] of scores.entries()) {
    const scaled = most === 0 ? 0 : Math.floor((raw * MAX_SCORE) / most);
    scores[i] = order === 'higher' ? scaled : MAX_SCORE - scaled;
  }
}
