/** Volumes and claims as they will be when what was reserved is written (upstream's assume caches). */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../generated/types/core.v1.ts';
import { bindVolumeToClaim, SELECTED_NODE } from '../../resources/storage/binding.ts';
import type { Objects } from '../framework/plugin.ts';
import { claimOf, VOLUMES, volumeOf } from './volume-claims.ts';

/** What is to be written for a node. */
export interface Choice {
  readonly bind: { readonly volume: PersistentVolume; readonly claim: PersistentVolumeClaim }[];
  readonly provision: PersistentVolumeClaim[];
  /** The resourceVersions that the writes made, by volume name and claim key; undefined until they are done. */
  written?: ReadonlyMap<string, string>;
}

export class AssumedVolumes {
  private readonly objects: Objects;
  private readonly volumes = new Map<string, PersistentVolume>();
  private readonly claims = new Map<string, PersistentVolumeClaim>();

  constructor(objects: Objects) {
    this.objects = objects;
  }

  /** A claim by its key. */
  claim(key: string): PersistentVolumeClaim | undefined {
    return current(this.claims, key, claimOf(this.objects, key));
  }

  volume(name: string): PersistentVolume | undefined {
    return current(this.volumes, name, volumeOf(this.objects, name));
  }

  all(): PersistentVolume[] {
    return this.objects
      .list<PersistentVolume>(VOLUMES)
      .map((volume) => current(this.volumes, volume.metadata.name, volume) ?? volume);
  }

  /** From now on others see the choice as if it were written. */
  assume({ bind, provision }: Choice, node: string): void {
    for (const { volume, claim } of bind) this.volumes.set(volume.metadata.name, bindVolumeToClaim(volume, claim));
    for (const claim of provision) this.claims.set(keyOf(claim), withNode(claim, node));
  }

  forget({ bind, provision }: Choice): void {
    for (const { volume } of bind) this.volumes.delete(volume.metadata.name);
    for (const claim of provision) this.claims.delete(keyOf(claim));
  }
}

/** The claim, to be provisioned for the node. */
export function withNode(claim: PersistentVolumeClaim, node: string): PersistentVolumeClaim {
  const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: node };
  return { ...claim, metadata: { ...claim.metadata, annotations } };
}

/** `namespace/name` of an object. */
export const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** What was assumed holds until the object changes: by our write, or by somebody else's, which wins. */
function current<T extends KubeObject>(assumed: Map<string, T>, key: string, real: T | undefined): T | undefined {
  const held = assumed.get(key);
  if (held === undefined) return real;
  if (real !== undefined && real.metadata.resourceVersion === held.metadata.resourceVersion) return held;
  assumed.delete(key);
  return real;
}
