/** Allocates the claims of one pod on whatever node it may go to (upstream's `structured.Allocator`). */
import type { AllocationResult, ResourceClaim } from '../../../generated/types/resource.v1.ts';
import type { NodeFacts } from '../../framework/node-info.ts';
import type { Allocated } from './allocated.ts';
import { Counters } from './counters.ts';
import type { Pools } from './pools.ts';
import type { ClaimPlan } from './requests.ts';
import { allocationOf } from './result.ts';
import { type Effort, OutOfEffort, Search } from './search.ts';

/** For one pod on all nodes: a second or two at the worst. */
const LOOKS = 1_000_000;
const CEL_COST = 10_000_000;
/** On one node; each search that is given up halves what those after it may do, down to what an ordinary one needs. */
const CHOICES = 5000;
const FEWEST_CHOICES = 128;

export class Allocator {
  readonly claims: readonly ResourceClaim[];
  private readonly plans: readonly ClaimPlan[];
  private readonly pools: Pools;
  private readonly allocated: Allocated;
  private readonly counters: Counters;
  private readonly effort: Effort = { looks: LOOKS, choices: CHOICES, cel: { left: CEL_COST } };

  /** `allocated`: what others have. */
  constructor(plans: readonly ClaimPlan[], pools: Pools, allocated: Allocated) {
    this.claims = plans.map(({ claim }) => claim);
    this.plans = plans;
    this.pools = pools;
    this.allocated = allocated;
    this.counters = new Counters(allocated);
  }

  /**
   * One allocation for each claim; undefined where the node has not what they need. `invalid`: a pool there contradicts itself.
   * Throws an Error for claims that cannot be judged, and {@link OutOfEffort}.
   */
  allocate(node: NodeFacts): { results: AllocationResult[] } | { invalid: boolean } {
    const pools = this.pools.on(node);
    const search = new Search(this.plans, pools, this.allocated, this.counters, this.effort);
    try {
      if (!search.run()) return { invalid: pools.some(({ pool }) => pool.invalid) };
    } catch (error) {
      if (error instanceof OutOfEffort) this.effort.choices = Math.max(FEWEST_CHOICES, this.effort.choices / 2);
      throw error;
    }
    return { results: this.claims.map((claim, i) => allocationOf(claim, search.picks[i] ?? [], node.name)) };
  }
}
