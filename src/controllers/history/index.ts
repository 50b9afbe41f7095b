/** The ControllerRevisions in which StatefulSets and DaemonSets remember their former templates. */
import type { Client } from '../../apimachinery/client.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import { canonicalJson } from '../../apimachinery/go-json.ts';
import type { LabelSelector } from '../../apimachinery/labels.ts';
import type { Json, KubeObject } from '../../apimachinery/meta.ts';
import type { ControllerRevision } from '../../generated/types/apps.v1.ts';
import type { PodTemplateSpec } from '../../generated/types/core.v1.ts';
import { byAge, deleteIfPresent } from '../objects.ts';
import { claim } from '../replicaset/claim.ts';

export const CONTROLLER_REVISIONS = 'apps/controllerrevisions';
/** The label of pods that says of which revision they are. */
export const REVISION_LABEL = 'controller-revision-hash';

const numberOf = ({ revision = 0 }: ControllerRevision): number => revision;

/** The revisions of `owner`, oldest first, orphans adopted. */
export async function listRevisions(
  client: Client,
  owner: KubeObject,
  kind: string,
  selector: LabelSelector,
): Promise<ControllerRevision[]> {
  const mine = await claim<ControllerRevision>(client, CONTROLLER_REVISIONS, owner, 'apps/v1', kind, selector);
  return mine.sort((a, b) => numberOf(a) - numberOf(b) || byAge(a, b));
}

/** The number of a revision that comes after these, which are in order. */
export const nextRevisionNumber = (revisions: readonly ControllerRevision[]): number =>
  Math.max(0, ...revisions.map(numberOf)) + 1;

/**
 * What a revision keeps of an object: a strategic merge patch that brings its template back (`getPatch`). Clients compare it byte by byte
 * with what they make of the object.
 */
export const revisionData = (template: PodTemplateSpec): Json =>
  JSON.parse(canonicalJson({ spec: { template: { $patch: 'replace', ...template } } }));

/** The template that a revision keeps. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const { spec } = (data ?? {}) as { spec?: { template?: PodTemplateSpec & { $patch?: string } } };
  if (spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = spec.template;
  return template;
}

/** Whether a revision keeps exactly this. */
export const keeps = (revision: ControllerRevision, data: Json): boolean => deepEqual(revision.data, data);

/** Gives a revision another number: a roll-back makes the old one the newest. */
export async function renumber(
  client: Client,
  revision: ControllerRevision,
  number: number,
): Promise<ControllerRevision> {
  if (revision.revision === number) return revision;
  const { namespace = '', name } = revision.metadata;
  return client.patch<ControllerRevision>(CONTROLLER_REVISIONS, namespace, name, 'merge', { revision: number });
}

/** Deletes the first `count` of revisions that nothing uses. */
export async function deleteOldest(
  client: Client,
  unused: readonly ControllerRevision[],
  count: number,
): Promise<void> {
  for (const revision of unused.slice(0, Math.max(0, count))) {
    await deleteIfPresent(client, CONTROLLER_REVISIONS, revision);
  }
}
