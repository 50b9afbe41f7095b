import type { CSINode, VolumeAttachment } from '../../generated/types/storage.v1.ts';
import { classOf } from '../../resources/storage/binding.ts';
import { ADD, DELETE, UPDATE } from '../framework/cluster-event.ts';
import { count, type NodeInfo } from '../framework/node-info.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { unresolvable, unschedulable } from '../framework/status.ts';
import {
  ATTACHMENTS,
  CLAIMS,
  CLASSES,
  CSI_NODES,
  claimOf,
  isOwnClaim,
  noSuchClaim,
  storageClassOf,
  usesClaims,
  VOLUMES,
  volumeOf,
} from './volume-claims.ts';

const NAME = 'NodeVolumeLimits';
const REFUSED = { ...unschedulable('node(s) exceed max volume count'), plugin: NAME };

/** NodeVolumeLimits: a node takes as many volumes of a CSI driver as its CSINode says. */
export const nodeVolumeLimits: PluginFactory = ({ objects }) => {
  /** Driver by the unique name of the volume that the claim is bound to, or that its class will make. */
  function note(key: string, volumes: Map<string, string>): boolean {
    const claim = claimOf(objects, key);
    if (claim === undefined) return false;
    const volume = claim.spec?.volumeName ? volumeOf(objects, claim.spec.volumeName) : undefined;
    if (volume !== undefined) {
      const { driver, volumeHandle } = volume.spec?.csi ?? {};
      if (driver !== undefined) volumes.set(`${driver}/${volumeHandle}`, driver);
      return true;
    }
    const provisioner = storageClassOf(objects, classOf(claim))?.provisioner;
    if (provisioner !== undefined) volumes.set(`${provisioner}-${key}`, provisioner);
    return true;
  }

  /** What is on the node by its pods, and by attachments of pods that are gone. */
  function volumesOn(node: NodeInfo): Map<string, string> {
    const volumes = new Map<string, string>();
    for (const key of node.claims.keys()) note(key, volumes);
    for (const { spec } of objects.list<VolumeAttachment>(ATTACHMENTS)) {
      if (spec?.nodeName !== node.name) continue;
      const { driver, volumeHandle } = volumeOf(objects, spec.source?.persistentVolumeName ?? '')?.spec?.csi ?? {};
      if (driver !== undefined) volumes.set(`${driver}/${volumeHandle}`, driver);
    }
    return volumes;
  }

  return {
    name: NAME,
    events: [
      { kind: 'object', resource: CSI_NODES, actions: ADD | UPDATE },
      { kind: 'pod', actions: DELETE, hint: (_, before) => before === undefined || before.claims.length > 0 },
      { kind: 'object', resource: CLAIMS, actions: ADD, hint: isOwnClaim },
      { kind: 'object', resource: ATTACHMENTS, actions: DELETE },
    ],
    needs: (pod) => (usesClaims(pod) ? [CLAIMS, VOLUMES, CLASSES, CSI_NODES, ATTACHMENTS] : []),
    preFilter: (_, { info }) => (info.claims.length === 0 ? 'skip' : undefined),
    filter(_, { info }, node) {
      const missing = info.claims.find((key) => claimOf(objects, key) === undefined);
      if (missing !== undefined) return unresolvable(noSuchClaim(missing));
      const limits = new Map<string, number>();
      for (const { name = '', allocatable } of objects.get<CSINode>(CSI_NODES, '', node.name)?.spec?.drivers ?? []) {
        if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
      }
      if (limits.size === 0) return undefined;
      const wanted = new Map<string, string>();
      for (const key of info.claims) note(key, wanted);
      const there = volumesOn(node);
      const sums = new Map<string, number>();
      for (const driver of there.values()) count(sums, driver, 1);
      const more = new Set<string>();
      for (const [volume, driver] of wanted) {
        // A volume that is there already is not one more.
        if (there.has(volume)) continue;
        count(sums, driver, 1);
        more.add(driver);
      }
      for (const driver of more) {
        if ((sums.get(driver) ?? 0) > (limits.get(driver) ?? Number.POSITIVE_INFINITY)) return REFUSED;
      }
      return undefined;
    },
  };
};
