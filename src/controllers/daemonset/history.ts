/** The revision that a DaemonSet's template is, and those it was. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { LabelSelector } from '../../apimachinery/labels.ts';
import type { Json } from '../../apimachinery/meta.ts';
import type { ControllerRevision, DaemonSet } from '../../generated/types/apps.v1.ts';
import type { Pod, PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { templateHash } from '../history/hash.ts';
import {
  CONTROLLER_REVISIONS,
  deleteOldest,
  keeps,
  listRevisions,
  nextRevisionNumber,
  REVISION_LABEL,
  renumber,
  revisionData,
} from '../history/index.ts';
import { controllerRef, patchStatus } from '../objects.ts';

export interface DaemonHistory {
  /** The label of pods of the current template. */
  hash: string;
  old: ControllerRevision[];
}

const hashOf = ({ metadata }: ControllerRevision): string => metadata.labels?.[REVISION_LABEL] ?? metadata.name;

/** The current revision, created or renumbered as need be, and the old ones, oldest first (`constructHistory`). */
export async function syncHistory(client: Client, set: DaemonSet, selector: LabelSelector): Promise<DaemonHistory> {
  const revisions = await listRevisions(client, set, 'DaemonSet', selector);
  const data = revisionData(set.spec?.template as PodTemplateSpec);
  const current = revisions.findLast((revision) => keeps(revision, data));
  const old = revisions.filter((revision) => revision !== current);
  const number = nextRevisionNumber(old);
  if (current === undefined) return { hash: await snapshot(client, set, data, number), old };
  if ((current.revision ?? 0) < number) await renumber(client, current, number);
  return { hash: hashOf(current), old };
}

/** Deletes old revisions that no pod is of, beyond `revisionHistoryLimit` (`cleanupHistory`). */
export async function cleanUpHistory(
  client: Client,
  set: DaemonSet,
  old: readonly ControllerRevision[],
  pods: readonly Pod[],
): Promise<void> {
  const live = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL]));
  const surplus = old.length - (set.spec?.revisionHistoryLimit ?? 10);
  const unused = old.filter((revision) => !live.has(hashOf(revision)));
  await deleteOldest(client, unused, surplus);
}

/** Creates the revision of the current template; answers its hash. A name that another template has makes the next hash another. */
async function snapshot(client: Client, set: DaemonSet, data: Json, revision: number): Promise<string> {
  const { name: setName, namespace = '', annotations } = set.metadata;
  const template = set.spec?.template as PodTemplateSpec;
  const hash = templateHash(template, set.status?.collisionCount);
  const name = `${setName}-${hash}`;
  const wanted: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace,
      labels: { ...template.metadata?.labels, [REVISION_LABEL]: hash },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [controllerRef(set, 'apps/v1', 'DaemonSet')],
    },
    data,
    revision,
  };
  try {
    await client.create(CONTROLLER_REVISIONS, wanted);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
    const taken = await client.get<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name);
    if (taken === undefined || !keeps(taken, data)) {
      const collisionCount = (set.status?.collisionCount ?? 0) + 1;
      await patchStatus(client, 'apps/daemonsets', set, { ...set.status, collisionCount });
      throw error;
    }
  }
  return hash;
}
