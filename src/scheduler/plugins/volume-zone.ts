import type { PersistentVolume } from '../../generated/types/core.v1.ts';
import { classOf } from '../../resources/storage/binding.ts';
import { ADD, UPDATE, UPDATE_NODE_LABEL } from '../framework/cluster-event.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { type Status, unresolvable } from '../framework/status.ts';
import {
  CLAIMS,
  CLASSES,
  claimOf,
  isOwnClaim,
  noSuchClaim,
  noSuchClass,
  storageClassOf,
  usesClaims,
  VOLUMES,
  volumeOf,
} from './volume-claims.ts';

const NAME = 'VolumeZone';
const REFUSED = { ...unresolvable('node(s) had no available volume zone'), plugin: NAME };
/** Labels of volumes that say where they are, and what nodes call the same today. */
const LABELS = new Map([
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['topology.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'topology.kubernetes.io/region'],
]);

interface Place {
  readonly label: string;
  readonly values: ReadonlySet<string>;
}
const PLACES = new StateKey<readonly Place[]>(NAME);

/** VolumeZone: a pod goes where its volumes are, as the volumes' labels say. */
export const volumeZone: PluginFactory = ({ objects }) => ({
  name: NAME,
  events: [
    { kind: 'object', resource: CLASSES, actions: ADD },
    { kind: 'node', actions: ADD | UPDATE_NODE_LABEL },
    { kind: 'object', resource: CLAIMS, actions: ADD | UPDATE, hint: isOwnClaim },
    { kind: 'object', resource: VOLUMES, actions: ADD | UPDATE },
  ],
  needs: (pod) => (usesClaims(pod) ? [CLAIMS, VOLUMES, CLASSES] : []),
  preFilter(state, { pod }) {
    const places: Place[] = [];
    for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
      if (persistentVolumeClaim === undefined) continue;
      const found = volumeFor(`${pod.metadata.namespace}/${persistentVolumeClaim.claimName}`);
      if ('code' in found) return found;
      if (found.volume !== undefined) places.push(...placesOf(found.volume));
    }
    if (places.length === 0) return 'skip';
    state.write(PLACES, places);
    return undefined;

    /** The volume of a claim; none yet where the scheduler has a say in which it will be. */
    function volumeFor(key: string): Status | { volume?: PersistentVolume } {
      const claim = claimOf(objects, key);
      if (claim === undefined) return unresolvable(noSuchClaim(key));
      const name = claim.spec?.volumeName ?? '';
      if (name !== '') {
        const volume = volumeOf(objects, name);
        return volume === undefined ? unresolvable(`persistentvolume "${name}" not found`) : { volume };
      }
      const className = classOf(claim);
      if (className === '') return unresolvable('PersistentVolumeClaim had no pv name and storageClass name');
      const found = storageClassOf(objects, className);
      if (found === undefined) return unresolvable(noSuchClass(className));
      return found.volumeBindingMode === 'WaitForFirstConsumer' ? {} : unresolvable('PersistentVolume had no name');
    }
  },
  filter(state, _, { facts }) {
    const { labels } = facts;
    // A node that says nothing of zones and regions is anywhere.
    if (![...LABELS.keys()].some((label) => labels[label] !== undefined)) return undefined;
    for (const { label, values } of state.read(PLACES) ?? []) {
      const value = labels[label] ?? labels[LABELS.get(label) ?? ''];
      if (value === undefined || !values.has(value)) return REFUSED;
    }
    return undefined;
  },
});

/** Several zones are one value with two underscores between them. */
function placesOf({ metadata }: PersistentVolume): Place[] {
  return [...LABELS.keys()].flatMap((label) => {
    const value = metadata.labels?.[label];
    return value === undefined ? [] : [{ label, values: new Set(value.split('__')) }];
  });
}
