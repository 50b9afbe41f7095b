import type { PersistentVolumeClaim, Pod, Volume } from '../../generated/types/core.v1.ts';
import { ADD, DELETE, UPDATE } from '../framework/cluster-event.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { unresolvable, unschedulable } from '../framework/status.ts';
import { CLAIMS, claimOf, isOwnClaim, noSuchClaim, usesClaims } from './volume-claims.ts';

const NAME = 'VolumeRestrictions';
const DISK_CONFLICT = { ...unschedulable('node(s) had no available disk'), plugin: NAME };
const CLAIM_CONFLICT = {
  ...unschedulable('node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'),
  plugin: NAME,
};

/** The pod's claims that one pod alone may use, and how many others use them. */
interface Exclusive {
  readonly claims: ReadonlySet<string>;
  users: number;
}
const EXCLUSIVE = new StateKey<Exclusive>(NAME, (value) => ({ ...value }));

/** VolumeRestrictions: one disk for one pod, unless all only read it; and claims that are for one pod alone. */
export const volumeRestrictions: PluginFactory = ({ objects, snapshot }) => {
  const isExclusive = (claim: PersistentVolumeClaim | undefined): boolean =>
    claim?.spec?.accessModes?.includes('ReadWriteOncePod') === true;
  const shared = ({ claims }: Exclusive, other: PodInfo): number =>
    other.claims.filter((key) => claims.has(key)).length;
  return {
    name: NAME,
    events: [
      {
        kind: 'pod',
        actions: DELETE,
        hint: ({ info }, before) =>
          before === undefined ||
          before.claims.some((key) => info.claims.includes(key)) ||
          conflict(info.ask.disks, before.ask.disks),
      },
      { kind: 'node', actions: ADD },
      { kind: 'object', resource: CLAIMS, actions: ADD | UPDATE, hint: isOwnClaim },
    ],
    needs: (pod) => (usesClaims(pod) ? [CLAIMS] : []),
    preFilter(state, { pod, info }) {
      const named = namedClaims(pod);
      const missing = named.find((key) => claimOf(objects, key) === undefined);
      if (missing !== undefined) return unresolvable(noSuchClaim(missing));
      const claims = new Set(named.filter((key) => isExclusive(claimOf(objects, key))));
      if (claims.size === 0 && !info.ask.disks.some(isRestricted)) return 'skip';
      let users = 0;
      for (const key of claims) if (snapshot.all().some((node) => node.claims.has(key))) users++;
      state.write(EXCLUSIVE, { claims, users });
      return undefined;
    },
    addPod(state, _, other) {
      const exclusive = state.read(EXCLUSIVE);
      if (exclusive !== undefined) exclusive.users += shared(exclusive, other);
    },
    removePod(state, _, other) {
      const exclusive = state.read(EXCLUSIVE);
      if (exclusive !== undefined) exclusive.users -= shared(exclusive, other);
    },
    filter(state, { info }, node) {
      if (info.ask.disks.some(isRestricted)) {
        for (const other of node.pods) if (conflict(info.ask.disks, other.ask.disks)) return DISK_CONFLICT;
      }
      return (state.read(EXCLUSIVE)?.users ?? 0) > 0 ? CLAIM_CONFLICT : undefined;
    },
  };
};

/** Keys of the claims that the pod names; those of its ephemeral volumes are its alone, and may be yet to come. */
const namedClaims = ({ metadata, spec }: Pod): string[] =>
  (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim === undefined ? [] : `${metadata.namespace}/${claim.claimName}`,
  );

const isRestricted = (v: Volume): boolean =>
  (v.gcePersistentDisk ?? v.awsElasticBlockStore ?? v.rbd ?? v.iscsi) !== undefined;

const conflict = (wanted: readonly Volume[], held: readonly Volume[]): boolean =>
  wanted.some((volume) => held.some((other) => clash(volume, other)));

function clash(a: Volume, b: Volume): boolean {
  const readOnly = (x: { readOnly?: boolean }, y: { readOnly?: boolean }): boolean =>
    x.readOnly === true && y.readOnly === true;
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    const [x, y] = [a.gcePersistentDisk, b.gcePersistentDisk];
    if (x.pdName === y.pdName && !readOnly(x, y)) return true;
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) {
    if (a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID) return true;
  }
  if (a.iscsi && b.iscsi && a.iscsi.iqn === b.iscsi.iqn && !readOnly(a.iscsi, b.iscsi)) return true;
  if (a.rbd && b.rbd) {
    const [x, y] = [a.rbd, b.rbd];
    const sameMonitors = (x.monitors ?? []).some((monitor) => y.monitors?.includes(monitor));
    const same = sameMonitors && (x.pool ?? 'rbd') === (y.pool ?? 'rbd') && x.image === y.image;
    if (same && !readOnly(x, y)) return true;
  }
  return false;
}
