/** Rolls a Deployment back to a former template, as the annotation of a client of old asks for. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { Deployment, ReplicaSet } from '../../generated/types/apps.v1.ts';
import { byRevision, isOwnAnnotation, ROLLBACK_TO, revisionOf, sameTemplate, withoutHash } from './revisions.ts';
import type { DeploymentSync } from './sync.ts';

/** The revision that is asked for, 0 for the last one; undefined where none is (`getRollbackTo`). */
export function rollbackTarget({ metadata }: Deployment): bigint | undefined {
  const text = metadata.annotations?.[ROLLBACK_TO];
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? BigInt(text) : undefined;
}

/** The revision before the newest; 0 without one (`LastRevision`). */
function lastRevision(sets: readonly ReplicaSet[]): bigint {
  const last = [...sets].sort(byRevision).at(-2);
  return last === undefined ? 0n : revisionOf(last);
}

/** Puts the template of the wanted revision into the Deployment, says in an event how that went, and answers the request (`rollback`). */
export async function rollback(sync: DeploymentSync, target: bigint): Promise<void> {
  await sync.syncRevision(true);
  const { deployment, context, client } = sync;
  const { name, namespace = '' } = deployment.metadata;
  const warn = (reason: string, message: string): void =>
    context.events.record(deployment, 'Warning', `DeploymentRollback${reason}`, message);
  const revision = target === 0n ? lastRevision(sync.all) : target;
  const set = revision === 0n ? undefined : sync.all.find((candidate) => revisionOf(candidate) === revision);
  // On the object as it is now: its annotations may have been written above.
  const current = await client.get<Deployment>('apps/deployments', namespace, name);
  if (current === undefined) return;
  const { [ROLLBACK_TO]: _, ...annotations } = current.metadata.annotations ?? {};
  const answered: Deployment = { ...current, metadata: { ...current.metadata, annotations } };
  let done = false;
  if (set === undefined) {
    const what = target === 0n ? 'last revision.' : 'the revision to rollback to.';
    warn('RevisionNotFound', `Unable to find ${what}`);
  } else if (sameTemplate(set.spec?.template, current.spec?.template)) {
    warn('TemplateUnchanged', `The rollback revision contains the same template as current deployment "${name}"`);
  } else {
    done = true;
    answered.spec = { ...current.spec, template: withoutHash(set.spec?.template) };
    const own = Object.entries(annotations).filter(([key]) => isOwnAnnotation(key));
    const former = Object.entries(set.metadata.annotations ?? {}).filter(([key]) => !isOwnAnnotation(key));
    answered.metadata.annotations = Object.fromEntries([...own, ...former]);
  }
  if (deepEqual(answered, current)) return;
  try {
    await client.update('apps/deployments', answered);
  } catch (error) {
    if (isReason(error, 'NotFound')) return;
    throw error;
  }
  if (done) {
    const message = `Rolled back deployment "${name}" to revision ${revision}`;
    context.events.record(deployment, 'Normal', 'DeploymentRollback', message);
  }
}
