/** Writes pods of a StatefulSet and their claims, and says so in events (`StatefulPodControl`). */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { StatefulSet } from '../../generated/types/apps.v1.ts';
import type { PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { ControllerContext } from '../controller.ts';
import { deleteIfPresent, messageOf } from '../objects.ts';
import { setOwners } from '../replicaset/claim.ts';
import { identityMatches, setIdentity } from './identity.ts';
import { isStale, wantedOwners } from './retention.ts';
import { claimsOf, mountClaims, storageMatches } from './volumes.ts';

const CLAIMS = 'core/persistentvolumeclaims';
type Verb = 'Create' | 'Update' | 'Delete';

export class StatefulPods {
  readonly #client: Client;
  readonly #context: ControllerContext;
  readonly #set: StatefulSet;
  #read: Promise<Map<string, PersistentVolumeClaim>> | undefined;

  constructor(client: Client, context: ControllerContext, set: StatefulSet) {
    this.#client = client;
    this.#context = context;
    this.#set = set;
  }

  /** Creates a pod and before it its claims. False: not yet, a claim of its predecessor has to go first. */
  async create(pod: Pod, ordinal: number): Promise<boolean> {
    const existing = await this.#existingClaims(ordinal);
    if (existing.some((claim) => isStale(this.#set, pod, claim))) return false;
    await this.#said('Create', pod, () => this.createMissingClaims(pod, ordinal), false);
    let created = pod;
    try {
      created = await this.#client.create('core/pods', pod);
    } catch (error) {
      // Somebody was faster: what there is now is seen the next time.
      if (!isReason(error, 'AlreadyExists')) this.#event('Create', pod, error);
      throw error;
    }
    await this.#said('Update', pod, () => this.retain(created, ordinal), false);
    this.#event('Create', pod);
    return true;
  }

  /** Makes identity, claims and their owners what they should be, where they are not. */
  async update(pod: Pod, ordinal: number): Promise<void> {
    const set = this.#set;
    const known = identityMatches(set, pod, ordinal);
    const stored = storageMatches(set, pod, ordinal);
    if (!stored) await this.#said('Update', pod, () => this.createMissingClaims(pod, ordinal), false);
    let retained = true;
    await this.#said('Update', pod, async () => (retained = !(await this.retain(pod, ordinal))), false);
    if (known && stored) {
      if (!retained) this.#event('Update', pod);
      return;
    }
    const updated = structuredClone(pod);
    setIdentity(set, updated, ordinal);
    mountClaims(set, updated, ordinal);
    await this.#said('Update', pod, () => this.#client.update('core/pods', updated), true);
  }

  /** Deletes a pod; its claims stay or go by what owns them. */
  async delete(pod: Pod): Promise<void> {
    await this.#said('Delete', pod, () => deleteIfPresent(this.#client, 'core/pods', pod), true);
  }

  /** Creates claims of a pod that are not there (`createPersistentVolumeClaims`). */
  async createMissingClaims(pod: Pod, ordinal: number): Promise<void> {
    const wanted = claimsOf(this.#set, ordinal);
    if (wanted.length === 0) return;
    const claims = await this.#claims();
    for (const claim of wanted) {
      const { name } = claim.metadata;
      const found = claims.get(name);
      if (found?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
      if (found !== undefined) continue;
      try {
        claims.set(name, await this.#client.create(CLAIMS, claim));
        this.#claimEvent(pod, name);
      } catch (error) {
        this.#claimEvent(pod, name, error);
        throw new Error(`failed to create PVC ${name}: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  /** Gives the claims of a pod the owners that the retention policy wants (`UpdatePodClaimForRetentionPolicy`); answers whether any had others. */
  async retain(pod: Pod, ordinal: number): Promise<boolean> {
    let changed = false;
    for (const claim of await this.#existingClaims(ordinal)) {
      const owners = wantedOwners(this.#set, pod, claim);
      if (deepEqual(owners, claim.metadata.ownerReferences ?? [])) continue;
      await setOwners(this.#client, CLAIMS, claim, () => owners);
      changed = true;
    }
    return changed;
  }

  async #existingClaims(ordinal: number): Promise<PersistentVolumeClaim[]> {
    const wanted = claimsOf(this.#set, ordinal);
    if (wanted.length === 0) return [];
    const claims = await this.#claims();
    return wanted.map(({ metadata }) => claims.get(metadata.name)).filter((claim) => claim !== undefined);
  }

  /** The claims of the namespace by name, read once. */
  #claims(): Promise<Map<string, PersistentVolumeClaim>> {
    const { namespace = '' } = this.#set.metadata;
    this.#read ??= this.#client
      .list<PersistentVolumeClaim>(CLAIMS, { namespace })
      .then(({ items }) => new Map(items.map((claim) => [claim.metadata.name, claim])));
    return this.#read;
  }

  /** Does something, and says in an event that it failed; `success`: also that it did not. */
  async #said(verb: Verb, pod: Pod, work: () => Promise<unknown>, success: boolean): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#event(verb, pod, error);
      throw error;
    }
    if (success) this.#event(verb, pod);
  }

  #event(verb: Verb, pod: Pod, error?: unknown): void {
    const about = `${verb} Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name}`;
    this.#record(
      verb,
      error,
      error === undefined ? `${about} successful` : `${about} failed error: ${messageOf(error)}`,
    );
  }

  #claimEvent(pod: Pod, claim: string, error?: unknown): void {
    const about = `Pod ${pod.metadata.name} in StatefulSet ${this.#set.metadata.name}`;
    const message =
      error === undefined
        ? `Create Claim ${claim} ${about} success`
        : `Create Claim ${claim} for ${about} failed error: ${messageOf(error)}`;
    this.#record('Create', error, message);
  }

  #record(verb: Verb, error: unknown, message: string): void {
    const { events } = this.#context;
    if (error === undefined) events.record(this.#set, 'Normal', `Successful${verb}`, message);
    else events.record(this.#set, 'Warning', `Failed${verb}`, message);
  }
}
