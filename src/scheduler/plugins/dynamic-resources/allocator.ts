/** Allocates the claims of one pod on whatever node it may go to (upstream's `structured.Allocator`). */
import type { AllocationResult, ResourceClaim } from '../../../generated/types/resource.v1.ts';
import type { NodeFacts } from '../../framework/node-info.ts';
import type { Allocated } from './allocated.ts';
import { Counters } from './counters.ts';
import type { Pools } from './pools.ts';
import type { ClaimPlan } from './requests.ts';
import { allocationOf } from './result.ts';
import { type Effort, Search } from './search.ts';

/** Devices looked at for one pod, and what its selectors may cost: seconds at the worst. */
const STEPS = 1_000_000;
const CEL_COST = 50_000_000;

export class Allocator {
  readonly claims: readonly ResourceClaim[];
  private readonly plans: readonly ClaimPlan[];
  private readonly pools: Pools;
  private readonly allocated: Allocated;
  private readonly counters: Counters;
  private readonly effort: Effort = { steps: STEPS, cel: { left: CEL_COST } };

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
    if (!search.run()) return { invalid: pools.some(({ pool }) => pool.invalid) };
    return { results: this.claims.map((claim, i) => allocationOf(claim, search.picks[i] ?? [], node.name)) };
  }
}
