/** Which volumes a pod's claims get on a node. Pure but for what it reads. */
import { selects } from '../../apimachinery/labels.ts';
import { compareQuantity, toNumber } from '../../apimachinery/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '../../generated/types/storage.v1.ts';
import { matchesTerms } from '../../resources/core/node-selector.ts';
import {
  BIND_COMPLETED,
  classOf,
  findMatchingVolume,
  NO_PROVISIONER,
  SELECTED_NODE,
  storageOf,
} from '../../resources/storage/binding.ts';
import type { NodeFacts } from '../framework/node-info.ts';
import type { Objects } from '../framework/plugin.ts';
import type { AssumedVolumes, Choice } from './volume-assumed.ts';
import { CSI_CAPACITIES, CSI_DRIVERS, noSuchClaim, storageClassOf } from './volume-claims.ts';

/** The claims of a pod by what there is left to do. */
export interface ClaimsOfPod {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Those whose volume is the scheduler's to choose, the smallest first. */
  readonly delayed: readonly PersistentVolumeClaim[];
  /** The volumes of the classes of {@link delayed}. */
  readonly volumes: ReadonlyMap<string, readonly PersistentVolume[]>;
}

const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;

/** Sorts the pod's claims; a text when one of them cannot be used, whatever the node. */
export function sortClaims(pod: Pod, objects: Objects, assumed: AssumedVolumes): ClaimsOfPod | string {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  let immediate = false;
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec?.volumes ?? []) {
    const claimName = ephemeral ? `${pod.metadata.name}-${name}` : persistentVolumeClaim?.claimName;
    if (claimName === undefined) continue;
    const key = `${pod.metadata.namespace}/${claimName}`;
    const claim = assumed.claim(key);
    const why = unusable(pod, key, claim, ephemeral !== undefined);
    if (why !== undefined) return why;
    if (claim === undefined) continue;
    const waits = storageClassOf(objects, classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
    if (isBound(claim)) bound.push(claim);
    else if (waits && !claim.spec?.volumeName) delayed.push(claim);
    else immediate = true;
  }
  if (immediate) return 'pod has unbound immediate PersistentVolumeClaims';
  const size = ({ spec }: PersistentVolumeClaim): string => storageOf(spec?.resources?.requests);
  delayed.sort((a, b) => compareQuantity(size(a), size(b)));
  const classes = new Set(delayed.map(classOf));
  const volumes = classes.size === 0 ? [] : assumed.all().filter((volume) => classes.has(classOf(volume)));
  return { bound, delayed, volumes: Map.groupBy(volumes, classOf) };
}

function unusable(pod: Pod, key: string, claim: PersistentVolumeClaim | undefined, own: boolean): string | undefined {
  const name = key.slice(key.indexOf('/') + 1);
  if (claim === undefined) {
    if (!own) return noSuchClaim(key);
    return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`;
  }
  const { metadata, spec, status } = claim;
  if (status?.phase === 'Lost') {
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${spec?.volumeName ?? ''}"`;
  }
  if (metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  const owned = metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === pod.metadata.uid);
  if (!own || owned) return;
  const podKey = `${pod.metadata.namespace}/${pod.metadata.name}`;
  return `PVC ${key} was not created for pod ${podKey} (pod is not owner)`;
}

/** Whether the node reaches the volume. */
export function reaches(node: NodeFacts, { spec }: PersistentVolume): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || matchesTerms(required.nodeSelectorTerms ?? [], node);
}

/** What is to be written if the pod goes to the node, or why it cannot (`FindPodVolumes`). */
export function choose(
  { bound, delayed, volumes }: ClaimsOfPod,
  node: NodeFacts,
  objects: Objects,
  assumed: AssumedVolumes,
): Choice | { readonly reasons: string[] } {
  const reasons: string[] = [];
  const missing = bound.find(({ spec }) => assumed.volume(spec?.volumeName ?? '') === undefined);
  const unreached = bound.some(({ spec }) => {
    const volume = assumed.volume(spec?.volumeName ?? '');
    return volume !== undefined && !reaches(node, volume);
  });
  if (unreached) reasons.push('node(s) had volume node affinity conflict');

  const choice: Choice = { bind: [], provision: [] };
  const taken = new Set<string>();
  let storage = true;
  let satisfied = true;
  for (const claim of delayed) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.name) satisfied = false;
    const fitsNode = (volume: PersistentVolume): boolean => reaches(node, volume);
    const options = { fitsNode, taken };
    const volume =
      selected === undefined ? findMatchingVolume(claim, volumes.get(classOf(claim)) ?? [], options) : undefined;
    if (volume === undefined) choice.provision.push(claim);
    else {
      taken.add(volume.metadata.name);
      choice.bind.push({ volume, claim });
    }
  }
  for (const claim of satisfied ? choice.provision : []) {
    const found = storageClassOf(objects, classOf(claim));
    const provisioner = found?.provisioner ?? '';
    if (provisioner === '' || provisioner === NO_PROVISIONER || !inTopology(found, node)) satisfied = false;
    else if (!hasCapacity(claim, provisioner, node, objects)) storage = false;
    if (!satisfied || !storage) break;
  }
  if (!satisfied) reasons.push("node(s) didn't find available persistent volumes to bind");
  if (!storage) reasons.push('node(s) did not have enough free storage');
  if (missing !== undefined) reasons.push('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
  return reasons.length > 0 ? { reasons } : choice;
}

/** Whether the class makes volumes where the node is: one of its terms must hold, if there are any. */
function inTopology(found: StorageClass | undefined, { labels }: NodeFacts): boolean {
  const terms = found?.allowedTopologies ?? [];
  if (terms.length === 0) return true;
  return terms.some(
    ({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.length > 0 &&
      matchLabelExpressions.every(({ key = '', values = [] }) => values.includes(labels[key] ?? '\0')),
  );
}

/** The largest volume that can be made there, in bytes; -1 when that is not known. */
export function limitOf({ maximumVolumeSize, capacity }: CSIStorageCapacity): number {
  const limit = maximumVolumeSize ?? capacity;
  return limit === undefined ? -1 : toNumber(limit);
}

/** Whether a driver that publishes its capacities has room for the claim where the node reaches it. */
function hasCapacity(claim: PersistentVolumeClaim, provisioner: string, node: NodeFacts, objects: Objects): boolean {
  const wanted = claim.spec?.resources?.requests?.['storage'];
  const driver = objects.get<CSIDriver>(CSI_DRIVERS, '', provisioner);
  if (wanted === undefined || driver?.spec?.storageCapacity !== true) return true;
  const size = toNumber(wanted);
  return objects.list<CSIStorageCapacity>(CSI_CAPACITIES).some((capacity) => {
    const { storageClassName, nodeTopology } = capacity;
    if (storageClassName !== classOf(claim) || nodeTopology === undefined || limitOf(capacity) < size) return false;
    return selects(nodeTopology, node.labels);
  });
}
