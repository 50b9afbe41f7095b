/** The revision that a StatefulSet's pods are of, and the one they are to be of. */
import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import { canonicalJson } from '../../apimachinery/go-json.ts';
import type { Json } from '../../apimachinery/meta.ts';
import { fnv32, safeEncode } from '../../apimachinery/random.ts';
import type { ControllerRevision, StatefulSet } from '../../generated/types/apps.v1.ts';
import type { PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { CONTROLLER_REVISIONS, keeps, nextRevisionNumber, renumber, revisionData } from '../history/index.ts';
import { controllerRef } from '../objects.ts';

const HASH_LABEL = 'controller.kubernetes.io/hash';
/** Of a revision's name before its hash, so that the whole stays a name. */
const MAX_PREFIX = 223;

export interface Revisions {
  current: ControllerRevision;
  update: ControllerRevision;
  collisionCount: number;
}

/** Current and update revision; the latter is created, or renumbered when it is an old one again (`getStatefulSetRevisions`). */
export async function syncRevisions(
  client: Client,
  set: StatefulSet,
  revisions: readonly ControllerRevision[],
): Promise<Revisions> {
  const data = revisionData(set.spec?.template as PodTemplateSpec);
  const number = nextRevisionNumber(revisions);
  const newest = revisions.at(-1);
  const equal = revisions.findLast((revision) => keeps(revision, data));
  let collisionCount = set.status?.collisionCount ?? 0;
  let update = equal;
  if (update === undefined) {
    [update, collisionCount] = await createRevision(client, set, data, number, collisionCount);
  } else if (newest !== undefined && update !== newest && !keeps(newest, data)) {
    update = await renumber(client, update, number);
  }
  const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  return { current, update, collisionCount };
}

/** Creates a revision under the first name that no other has taken; answers it and the collisions counted so far. */
async function createRevision(
  client: Client,
  set: StatefulSet,
  data: Json,
  revision: number,
  collisions: number,
): Promise<[ControllerRevision, number]> {
  const { name: setName, namespace = '' } = set.metadata;
  for (let collisionCount = collisions; ; collisionCount++) {
    const hash = safeEncode(String(fnv32(`${canonicalJson(data)}${collisionCount}`)));
    const name = `${setName.slice(0, MAX_PREFIX)}-${hash}`;
    const wanted: ControllerRevision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name,
        namespace,
        labels: { ...set.spec?.template?.metadata?.labels, [HASH_LABEL]: hash },
        ownerReferences: [controllerRef(set, 'apps/v1', 'StatefulSet')],
      },
      data,
      revision,
    };
    try {
      return [await client.create(CONTROLLER_REVISIONS, wanted), collisionCount];
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error;
      const taken = await client.get<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name);
      if (taken === undefined) throw error;
      if (keeps(taken, data)) return [taken, collisionCount];
    }
  }
}
