/** Claims as they will be when what was reserved is written (upstream's assume cache and in-flight allocations). */
import type { AllocationResult, ResourceClaim } from '../../../generated/types/resource.v1.ts';
import type { Objects } from '../../framework/plugin.ts';
import { Allocated } from './allocated.ts';
import { CLAIMS, keyOf } from './claims.ts';

interface Held {
  readonly allocation: AllocationResult;
  readonly uid: string | undefined;
  /** What was written, where it is known. */
  readonly claim?: ResourceClaim;
  /** The resourceVersion from which the store's own word counts; undefined while a pod's cycle is not done with it. */
  readonly until?: number;
  /** An earlier attempt whose write may still come. */
  readonly before?: Held | undefined;
}

const versionOf = ({ metadata }: ResourceClaim): number => Number(metadata.resourceVersion ?? 0);

/**
 * Devices count as taken from the moment they are chosen until the store tells of it. A write whose fate is unknown counts, too, until a
 * later version of its claim is seen: it was sent for one version alone, and can come no more.
 */
export class AssumedClaims {
  /** The pod that last gave devices back which it did not get. */
  freedBy = '';
  private readonly objects: Objects;
  private readonly held = new Map<string, Held>();

  constructor(objects: Objects) {
    this.objects = objects;
  }

  /** The claim by its key, as far as it is written. */
  claim(key: string): ResourceClaim | undefined {
    const real = this.real(key);
    return this.current(key, real)?.claim ?? real;
  }

  /** Whether a pod's cycle is allocating the claim. */
  isPending(claim: ResourceClaim): boolean {
    const held = this.held.get(keyOf(claim));
    return held !== undefined && held.until === undefined;
  }

  /** The claim's devices are chosen. */
  hold(claim: ResourceClaim, allocation: AllocationResult): void {
    const key = keyOf(claim);
    const before = this.current(key, this.real(key));
    this.held.set(key, { allocation, uid: claim.metadata.uid, before });
  }

  /** The claim was written, or read as somebody else wrote it. */
  written(claim: ResourceClaim): void {
    const allocation = claim.status?.allocation;
    if (allocation === undefined) return;
    this.held.set(keyOf(claim), { allocation, uid: claim.metadata.uid, claim, until: versionOf(claim) });
  }

  /** A write was sent for this version of the claim, and nobody knows what became of it. */
  lost(sent: ResourceClaim, allocation: AllocationResult): void {
    const key = keyOf(sent);
    const before = this.held.get(key)?.before;
    this.held.set(key, { allocation, uid: sent.metadata.uid, until: versionOf(sent) + 1, before });
  }

  /** The devices that were chosen for the claim are not needed after all; `by`: the pod whose cycle that was. */
  drop(claim: ResourceClaim, by: string): void {
    if (!this.isPending(claim)) return;
    const key = keyOf(claim);
    const before = this.held.get(key)?.before;
    if (before === undefined) this.held.delete(key);
    else this.held.set(key, before);
    this.freedBy = by;
  }

  /** What all claims hold, but for those of these keys. */
  allocated(except: ReadonlySet<string>): Allocated {
    const allocated = new Allocated();
    for (const claim of this.objects.list<ResourceClaim>(CLAIMS)) {
      const key = keyOf(claim);
      const allocation = claim.status?.allocation;
      const isOld = this.current(key, claim)?.until !== undefined;
      if (allocation !== undefined && !isOld && !except.has(key)) allocated.add(allocation);
    }
    for (const key of [...this.held.keys()]) {
      if (except.has(key)) continue;
      for (let held = this.current(key, this.real(key)); held !== undefined; held = held.before) {
        allocated.add(held.allocation);
      }
    }
    return allocated;
  }

  private real(key: string): ResourceClaim | undefined {
    const slash = key.indexOf('/');
    return this.objects.get<ResourceClaim>(CLAIMS, key.slice(0, slash), key.slice(slash + 1));
  }

  /** What is held of the claim, unless the store's own word counts by now. */
  private current(key: string, real: ResourceClaim | undefined): Held | undefined {
    const held = this.held.get(key);
    if (held?.until === undefined) return held;
    if (real !== undefined && real.metadata.uid === held.uid && versionOf(real) < held.until) return held;
    this.held.delete(key);
    return undefined;
  }
}
