/** The scoring strategies of NodeResourcesFit: LeastAllocated, MostAllocated, RequestedToCapacityRatio. */
import { CPU_AND_MEMORY, type ResourceSpec } from '../framework/node-score.ts';
import { MAX_SCORE } from '../framework/plugin.ts';

export interface ScoringStrategy {
  type?: string;
  resources?: readonly ResourceSpec[];
  requestedToCapacityRatio?: { shape?: readonly ShapePoint[] };
}

/** Utilization in percent, score 0 to 10. */
interface ShapePoint {
  utilization?: number;
  score?: number;
}

export interface Scorer {
  resources: readonly ResourceSpec[];
  /** 0 to 100 for one resource of which `used` would be taken, the pod included. */
  score(used: number, allocatable: number): number;
  /** Counts requests as they are, without stand-ins for pods that ask for nothing. */
  plain: boolean;
}

const SHAPE_MAX = 10;

/** The scorer that a profile asks for. */
export function scorerOf(strategy: ScoringStrategy = {}): Scorer {
  const resources = strategy.resources?.length ? strategy.resources : CPU_AND_MEMORY;
  switch (strategy.type) {
    case 'MostAllocated':
      return { resources, score: mostAllocated, plain: false };
    case 'RequestedToCapacityRatio': {
      const shape = [...(strategy.requestedToCapacityRatio?.shape ?? [])];
      const points = shape.map((p) => [p.utilization ?? 0, ((p.score ?? 0) * MAX_SCORE) / SHAPE_MAX] as const);
      const score = (used: number, allocatable: number): number =>
        interpolate(points, used > allocatable ? 100 : Math.floor((used * 100) / allocatable));
      return { resources, score, plain: true };
    }
    default:
      return { resources, score: leastAllocated, plain: false };
  }
}

const leastAllocated = (used: number, allocatable: number): number =>
  used > allocatable ? 0 : Math.floor(((allocatable - used) * MAX_SCORE) / allocatable);

const mostAllocated = (used: number, allocatable: number): number =>
  Math.floor((Math.min(used, allocatable) * MAX_SCORE) / allocatable);

/** Piecewise linear between points in the order of their first numbers; level outside (`BuildBrokenLinearFunction`). */
function interpolate(points: readonly (readonly [number, number])[], at: number): number {
  const next = points.findIndex(([x]) => at <= x);
  if (next < 0) return points.at(-1)?.[1] ?? 0;
  const [x1 = 0, y1 = 0] = points[next] ?? [];
  if (next === 0) return y1;
  const [x0 = 0, y0 = 0] = points[next - 1] ?? [];
  return y0 + Math.trunc(((y1 - y0) * (at - x0)) / (x1 - x0));
}
