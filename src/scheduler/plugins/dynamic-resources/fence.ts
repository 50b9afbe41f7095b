/** What all profiles of one scheduler share: the devices that are chosen, and the certainty that no other scheduler chooses any. */
import type { Client } from '../../../apimachinery/client.ts';
import { isReason } from '../../../apimachinery/errors.ts';
import type { ResourceClaim } from '../../../generated/types/resource.v1.ts';
import type { Handle, Objects } from '../../framework/plugin.ts';
import { AssumedClaims } from './assumed.ts';
import { CLAIMS, keyOf, PROTECTION } from './claims.ts';
import { isProtected } from './writes.ts';

export interface Shared {
  readonly assumed: AssumedClaims;
  readonly fence: Fence;
}

const shared = new WeakMap<Objects, Shared>();

/** The same for all plugins that read the same objects. */
export function sharedOf({ client, objects }: Pick<Handle, 'client' | 'objects'>): Shared {
  let known = shared.get(objects);
  if (known === undefined) {
    const assumed = new AssumedClaims(objects);
    known = { assumed, fence: new Fence(client, assumed) };
    shared.set(objects, known);
  }
  return known;
}

/** Stands between a scheduler and what an earlier one left behind. */
export class Fence {
  private readonly client: Client;
  private readonly assumed: AssumedClaims;
  private making: Promise<boolean> | undefined;
  private made = false;

  constructor(client: Client, assumed: AssumedClaims) {
    this.client = client;
    this.assumed = assumed;
  }

  /** To be awaited before devices are written; done once. Throws when those that were chosen may be another's by now. */
  async pass(): Promise<void> {
    if (this.made) return;
    this.making ??= fenceOff(this.client, this.assumed);
    try {
      const news = await this.making;
      this.made = true;
      if (news) throw new Error('claims were allocated in the meantime');
    } catch (error) {
      if (!this.made) this.making = undefined;
      throw error;
    }
  }
}

/**
 * Makes sure that nothing comes any more of what an earlier scheduler had sent when it was lost. It protects a claim before it writes
 * devices into it, and writes them for that version alone: a protected claim without devices gets another version. What did come is
 * taken into account. Answers whether there was anything: what was chosen before may be taken.
 */
async function fenceOff(client: Client, assumed: AssumedClaims): Promise<boolean> {
  const { items } = await client.list<ResourceClaim>(CLAIMS);
  const open = items.filter((claim) => isProtected(claim) && claim.status?.allocation === undefined);
  for (const claim of open) {
    const finalizers = claim.metadata.finalizers?.filter((finalizer) => finalizer !== PROTECTION) ?? [];
    try {
      await client.update(CLAIMS, { ...claim, metadata: { ...claim.metadata, finalizers } });
    } catch (error) {
      // It has another version already.
      if (!isReason(error, 'Conflict') && !isReason(error, 'NotFound')) throw error;
    }
  }
  const now = open.length === 0 ? items : (await client.list<ResourceClaim>(CLAIMS)).items;
  const news = now.filter(
    (claim) => claim.status?.allocation !== undefined && assumed.claim(keyOf(claim))?.status?.allocation === undefined,
  );
  for (const claim of news) if (!assumed.isPending(claim)) assumed.written(claim);
  return open.length + news.length > 0;
}
