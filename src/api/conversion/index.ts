/** Work that may need objects in other versions of theirs, where a webhook knows what those are. */
import { internalError } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { Ahead, NotConverted } from '../../resources/custom/ahead.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Requester } from '../context.ts';
import { fromStored } from '../registry/conversion.ts';
import { convertObjects } from './webhook.ts';

/** So often work finds that it lacks something more: an object is written in so many versions at most. */
const ROUNDS = 20;

/** Whether a webhook converts the resource's objects. */
export const isConvertedByWebhook = ({ conversion }: Resource): boolean => conversion?.webhook !== undefined;

/**
 * What the work answers, at once where no webhook is concerned. Else it is run again until it has all that it needs: it must change
 * nothing that was there before. `objects`: what it will certainly need in the resource's own version. Throws what the work throws, and a
 * Status with code 500 where the webhook fails.
 */
export function converting<T>(
  context: Requester,
  resource: Resource,
  work: () => T,
  objects: readonly KubeObject[] = [],
): T | Promise<T> {
  return isConvertedByWebhook(resource) ? workAhead(context, resource, work, objects) : work();
}

async function workAhead<T>(
  context: Requester,
  resource: Resource,
  work: () => T,
  objects: readonly KubeObject[],
): Promise<T> {
  const ahead = new Ahead();
  const ask = async (wanted: readonly KubeObject[], apiVersion: string): Promise<void> => {
    const converted = await convertObjects(context, resource, wanted, apiVersion);
    wanted.forEach((object, index) => {
      ahead.add(object, apiVersion, converted[index] as KubeObject);
    });
  };
  const own = `${resource.group}/${resource.version}`;
  const others = objects.filter(({ apiVersion }) => apiVersion !== own);
  if (others.length > 0) await ask(others, own);
  for (let round = 0; round < ROUNDS; round++) {
    try {
      return ahead.run(work);
    } catch (error) {
      if (!(error instanceof NotConverted)) throw error;
      await ask([error.object], error.apiVersion);
    }
  }
  throw internalError(`objects of ${resource.resource} are written in too many versions`);
}

/** A stored text in the resource's own version. Throws as {@link converting}. */
export function readStored(context: Requester, resource: Resource, text: string): string | Promise<string> {
  return converting(context, resource, () => fromStored(resource, text));
}
