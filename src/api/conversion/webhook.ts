/** Asks a conversion webhook, and holds it to what it may do (upstream's `conversion.webhookConverter`). */
import { unknownError } from '../../apimachinery/errors.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { isObject } from '../../apimachinery/patch/values.ts';
import { prune } from '../../apimachinery/structural/prune.ts';
import { withSchema } from '../../resources/custom/conversion.ts';
import type { ConversionWebhook, Resource } from '../../resources/resource.ts';
import type { Requester } from '../context.ts';
import { callHook, HookError } from '../hook-client.ts';
import { checkConverted, type Problem } from './converted.ts';

const TIMEOUT_SECONDS = 30;
/** Characters of objects that one review holds: what is sent through a node's session is limited. */
const MOST_SENT = 1 << 20;
/** What a webhook may answer at most, in bytes: what it makes of objects may be larger than they were. */
const MAX_ANSWER = 16 << 20;

/**
 * The objects, each of another version than this one, in it. In one review, unless they are too large together. Throws a Status with code
 * 500, as upstream, where the webhook fails or answers what it may not.
 */
export async function convertObjects(
  context: Requester,
  resource: Resource,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<KubeObject[]> {
  const converted: KubeObject[] = [];
  for (const batch of batches(objects.map((object) => inItsSchema(resource, object)))) {
    converted.push(...(await convertBatch(context, resource, batch, apiVersion)));
  }
  return converted;
}

/** What was stored under an older schema is made what it would be under today's. */
function inItsSchema(resource: Resource, object: KubeObject): KubeObject {
  return withSchema(object, schemaOf(resource, object.apiVersion));
}

function schemaOf({ custom }: Resource, apiVersion = ''): NonNullable<Resource['custom']>['schema'] {
  return custom?.versions.get(apiVersion.slice(apiVersion.indexOf('/') + 1))?.custom?.schema;
}

function batches(objects: readonly KubeObject[]): KubeObject[][] {
  const made: KubeObject[][] = [];
  let size = MOST_SENT;
  for (const object of objects) {
    const length = JSON.stringify(object).length;
    if (size + length > MOST_SENT) {
      made.push([]);
      size = 0;
    }
    made.at(-1)?.push(object);
    size += length;
  }
  return made;
}

async function convertBatch(
  context: Requester,
  resource: Resource,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<KubeObject[]> {
  const [first] = objects;
  const from = `${first?.apiVersion}, Kind=${resource.kind}${objects.length === 1 ? '' : 'List'}`;
  const says = (what: string): Error => unknownError(`conversion webhook for ${from} ${what}`);
  const answers = await ask(context, resource.conversion?.webhook as ConversionWebhook, objects, apiVersion, (why) =>
    says(`failed: ${why}`),
  );
  if (answers.length !== objects.length) throw says(`returned ${answers.length} objects, expected ${objects.length}`);
  const schema = schemaOf(resource, apiVersion);
  return objects.map((object, index) => {
    const converted = answers[index];
    const problem = checkConverted(object, converted, apiVersion);
    if (problem !== undefined) throw says(`returned ${invalidText(problem, objects.length, index)}`);
    if (schema !== undefined) prune(converted as JsonObject, schema);
    return converted as unknown as KubeObject;
  });
}

function invalidText({ what, why }: Problem, count: number, index: number): string {
  const alone = { version: 'invalid object at index 0', object: 'invalid object', metadata: 'invalid metadata' };
  const listed = what === 'metadata' ? 'invalid metadata in object' : 'invalid converted object';
  return `${count === 1 ? alone[what] : `${listed} at index ${index}`}: ${why}`;
}

/** The converted objects, whatever they are. Throws what `failed` makes of the reason. */
async function ask(
  context: Requester,
  { client, reviewVersions }: ConversionWebhook,
  objects: readonly KubeObject[],
  desiredAPIVersion: string,
  failed: (why: string) => Error,
): Promise<unknown[]> {
  const version = reviewVersions.find((one) => one === 'v1' || one === 'v1beta1');
  if (version === undefined) throw unknownError('no supported conversion review versions');
  const uid = crypto.randomUUID();
  const kind = { apiVersion: `apiextensions.k8s.io/${version}`, kind: 'ConversionReview' };
  const review = { ...kind, request: { uid, desiredAPIVersion, objects } } as unknown as JsonObject;
  let said: JsonObject;
  try {
    said = await callHook(context, { client, timeoutSeconds: TIMEOUT_SECONDS, maxAnswer: MAX_ANSWER }, review);
  } catch (error) {
    throw error instanceof HookError ? failed(error.message) : error;
  }
  const { response } = said;
  if (version === 'v1' && (said['apiVersion'] !== kind.apiVersion || said['kind'] !== kind.kind)) {
    const got = `${String(said['apiVersion'] ?? '')}, Kind=${String(said['kind'] ?? '')}`;
    throw failed(`expected webhook response of ${kind.apiVersion}, Kind=${kind.kind}, got ${got}`);
  }
  if (!isObject(response)) throw failed('no response provided');
  if (version === 'v1' && response['uid'] !== uid) {
    throw failed(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`);
  }
  const { status, message } = isObject(response['result']) ? response['result'] : {};
  if (status !== 'Success') {
    throw failed(message ? String(message) : `response.result.status was '${String(status ?? '')}', not 'Success'`);
  }
  const { convertedObjects } = response;
  return Array.isArray(convertedObjects) ? convertedObjects : [];
}
