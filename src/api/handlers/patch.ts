/** PATCH: the three patches, and server-side apply. */
import type { PatchType } from '../../apimachinery/client.ts';
import { conflict, isReason, noConsumer, unsupportedMediaType } from '../../apimachinery/errors.ts';
import type { Json } from '../../apimachinery/meta.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { contentType, readBody } from '../decode.ts';
import { formsOf, negotiate } from '../negotiation.ts';
import { checkName, ensureNamespace } from '../registry/create.ts';
import { applyTo } from '../registry/managed-fields.ts';
import { nameOf } from '../registry/resource-name.ts';
import { respondObject, unwrap } from '../respond.ts';
import { changeObject } from './change.ts';
import { patchOptions } from './options.ts';
import { patchBody } from './patch-body.ts';
import { createsOnUpdate, createUpdated, isMissing, respondChange } from './write.ts';

/** So often an apply tries again when others create and delete its object meanwhile. */
const APPLY_ATTEMPTS = 5;

const PATCHES: Record<string, PatchType> = {
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/json-patch+json': 'json',
  'application/apply-patch+yaml': 'apply',
};

/** Nobody knows how lists of custom resources merge but who applies them. */
const PATCHES_OF_CUSTOM = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];

/** PATCH of an object or of a subresource. */
export async function patch(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request, formsOf(resource));
  const type = PATCHES[contentType(request)];
  if (type === undefined) throw noConsumer();
  if (type === 'strategic' && resource.custom !== undefined) throw unsupportedMediaType(PATCHES_OF_CUSTOM);
  const options = patchOptions(url, request.headers.get('user-agent'), type === 'apply');
  const bytes = await readBody(request);
  const body = patchBody(new TextDecoder().decode(bytes), type, options, context.warnings);
  for (let attempt = 1; ; attempt++) {
    const result = await changeObject(context, resource, {
      do: 'patch',
      resource: nameOf(resource),
      ...(info.subresource === '' ? {} : { subresource: info.subresource }),
      type,
      body,
      options,
    });
    const { subresource } = info;
    const mayCreate = type === 'apply' && (subresource === '' || createsOnUpdate(resource, subresource));
    const creates = mayCreate && 'status' in result && isMissing(result.status);
    if (!creates) return respondChange(context, resource, accepted, unwrap(result));
    try {
      const text = await applyNew(context, resource, JSON.parse(body) as Json, options);
      return respondObject(resource, text, accepted, url, 201, context.warnings);
    } catch (error) {
      // Somebody else was quicker: then it is theirs that is applied to.
      if (!isReason(error, 'AlreadyExists') || attempt === APPLY_ATTEMPTS) throw error;
    }
  }
}

/** What an apply makes of nothing. Answers its text. */
async function applyNew(context: Context, resource: Resource, config: Json, options: RequestOptions): Promise<string> {
  const { name, namespace, subresource } = context.info;
  const object = applyTo(resource, subresource, undefined, config, options);
  const { uid } = object.metadata;
  if (uid !== undefined && uid !== '') {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resource, name, why);
  }
  ensureNamespace(resource, object, namespace);
  checkName(object, name);
  return createUpdated(context, resource, object, options, true);
}
