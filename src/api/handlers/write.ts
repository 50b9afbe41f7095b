/** create, update, delete, deletecollection. */
import { alreadyExists, BEING_DELETED, conflict, forbidden, StatusError } from '../../apimachinery/errors.ts';
import type { JsonObject, KubeObject, Status } from '../../apimachinery/meta.ts';
import type { DeleteRequest, RequestOptions } from '../../durable-objects/rpc.ts';
import { type Resource, storeOf } from '../../resources/resource.ts';
import { admit, validate } from '../admission/chain.ts';
import { checkDelete } from '../admission/namespace-lifecycle.ts';
import { authorize } from '../authorization/authorize.ts';
import type { Context, Requester } from '../context.ts';
import { converting, readStored } from '../conversion/index.ts';
import { convertedSelection } from '../conversion/selection.ts';
import { decodeBody } from '../decode.ts';
import { type Accepted, formsOf, negotiate } from '../negotiation.ts';
import {
  applyDefaults,
  beforeCreate,
  checkName,
  ensureNamespace,
  fillSystemFields,
  generateName,
  isVersion,
  refuseResourceVersion,
} from '../registry/create.ts';
import { decodeText, encodeStored, keyOf } from '../registry/encode.ts';
import { trackCreate } from '../registry/managed-fields.ts';
import { dropRepeatedOwners } from '../registry/owners.ts';
import { nameOf } from '../registry/resource-name.ts';
import { toScale } from '../registry/scale.ts';
import { respond, respondObject, unwrap } from '../respond.ts';
import { changeObject } from './change.ts';
import { deleteObject, deleteSelected } from './delete.ts';
import { deleteOptions } from './delete-options.ts';
import { listQuery, requestOptions } from './options.ts';
import { respondList, storeFor } from './read.ts';

/** Upstream tries a generated name again this often. */
const NAME_ATTEMPTS = 8;

/** POST to a collection. */
export async function create(context: Context, resource: Resource): Promise<Response> {
  const { request, url } = context;
  const accepted = negotiate(request, formsOf(resource));
  const options = requestOptions(url, request.headers.get('user-agent'), 'CreateOptions');
  const body = await decodeBody(request, resource, options.fieldValidation);
  context.warnings.push(...body.warnings);
  const text = await createObject(context, resource, body.object, options);
  return respondObject(resource, text, accepted, url, 201, context.warnings);
}

/** The whole way of a new object: default, admit, validate, commit; `applied` has its managedFields. Answers its text. */
export async function createObject(
  context: Requester,
  resource: Resource,
  object: KubeObject,
  options: RequestOptions,
  applied = false,
): Promise<string> {
  ensureNamespace(resource, object, context.info.namespace);
  context.audit?.object(object.metadata);
  const { resourceVersion = '' } = object.metadata;
  if (!options.dryRun) refuseResourceVersion(object);
  const prefix = (object.metadata.name ?? '') === '' ? object.metadata.generateName : undefined;
  applyDefaults(resource, object);
  fillSystemFields(object);
  context.warnings.push(...dropRepeatedOwners(object));
  if (!applied)
    await converting(context, resource, () => trackCreate(resource, object, options, context.info.subresource));
  const attributes = { context, resource, operation: 'CREATE', subresource: '', object, options } as const;
  await admit(attributes);
  beforeCreate(resource, object);
  context.warnings.push(...(resource.strategy.warnings?.(object) ?? []));
  await validate(attributes);
  const { around, info } = context;
  const store = around.creator?.(info.cluster, storeOf(resource)) ?? storeFor(context, resource);
  for (let attempt = 1; ; attempt++) {
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const encoded = await converting(context, resource, () => encodeStored(resource, object));
    const result = await store.create(key, encoded, options.dryRun);
    if (!('status' in result)) {
      const made = await readStored(context, resource, result.text);
      // What is not stored keeps the version that it came with.
      return options.dryRun && resourceVersion !== '' ? withVersion(made, resourceVersion) : made;
    }
    const retries = prefix !== undefined && result.status.reason === 'AlreadyExists' && attempt < NAME_ATTEMPTS;
    if (!retries) throw failed(resource, object, result.status);
    object.metadata.name = generateName(prefix);
  }
}

function withVersion(text: string, resourceVersion: string): string {
  const object = decodeText(text);
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion } });
}

/** The store knows its objects by the stored resource; the client asked for this one. */
function failed(resource: Resource, object: KubeObject, status: Status): StatusError {
  if (status.reason !== 'AlreadyExists') return new StatusError(status);
  const { status: exists } = alreadyExists(resource, object.metadata.name);
  // What goes is told of, so that who waits for it knows.
  const going = status.message?.startsWith(BEING_DELETED) ? BEING_DELETED : '';
  return new StatusError({ ...exists, message: going + exists.message });
}

/** PUT of an object or of a subresource that is an update of it. */
export async function update(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request, formsOf(resource));
  const options = requestOptions(url, request.headers.get('user-agent'), 'UpdateOptions');
  const kind = info.subresource === 'scale' ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : resource;
  const body = await decodeBody(request, kind, options.fieldValidation);
  context.warnings.push(...body.warnings);
  ensureNamespace(resource, body.object, info.namespace);
  checkName(body.object, info.name);
  const result = await changeObject(context, resource, {
    do: 'update',
    resource: nameOf(resource),
    ...(info.subresource === '' ? {} : { subresource: info.subresource }),
    body: JSON.stringify(body.object),
    options,
  });
  if ('status' in result && isMissing(result.status) && createsOnUpdate(resource, info.subresource)) {
    const { uid } = body.object.metadata;
    if (uid)
      throw conflict(resource, info.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: `);
    const text = await createUpdated(context, resource, body.object, options);
    return respondObject(resource, text, accepted, url, 201, context.warnings);
  }
  return respondChange(context, resource, accepted, unwrap(result));
}

/** Whether an update of what there is not creates it; upstream lets one of the status do so, too. */
export const createsOnUpdate = ({ strategy }: Resource, subresource: string): boolean =>
  strategy.createOnUpdate === true && (subresource === '' || subresource === 'status');

/** Creates what an update or an apply found missing, for those who may. Answers its text. */
export async function createUpdated(
  context: Context,
  resource: Resource,
  object: KubeObject,
  options: RequestOptions,
  applied = false,
): Promise<string> {
  await authorize(context, 'create');
  isVersion(object.metadata.resourceVersion);
  delete object.metadata.resourceVersion;
  return createObject(context, resource, object, options, applied);
}

/** Whether a change failed because there is nothing to change. */
export const isMissing = (status: Status): boolean => status.reason === 'NotFound';

/** Answers with what a change left of the object, or of its Scale. */
export async function respondChange(
  context: Context,
  resource: Resource,
  accepted: Accepted,
  result: { text: string; warnings?: string[] },
): Promise<Response> {
  context.warnings.push(...(result.warnings ?? []));
  const text = await readStored(context, resource, result.text);
  if (context.info.subresource === 'scale') {
    return respond(toScale(resource, decodeText(text)), accepted, 200, context.warnings);
  }
  return respondObject(resource, text, accepted, context.url, 200, context.warnings);
}

/** DELETE of one object. */
export async function remove(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request, formsOf(resource));
  const options = await deleteOptions(context);
  checkDelete(resource, info.name);
  const kept = resource.strategy.whyKept?.(info.name);
  if (kept !== undefined) throw forbidden(resource, info.name, kept);
  warnOfDelete(context, resource, options);
  const result = unwrap(await deleteObject(context, resource, info.name, options));
  const text = await readStored(context, resource, result.text);
  if (!result.deleted || resource.strategy.returnsDeleted) {
    const status = !result.deleted && options.orphanDependents === false ? 202 : 200;
    return respondObject(resource, text, accepted, url, status, context.warnings);
  }
  const { uid } = decodeText(text).metadata;
  return respond(deletedStatus(resource, info.name, uid ?? ''), accepted, 200, context.warnings);
}

function warnOfDelete(context: Context, { strategy }: Resource, options: DeleteRequest): void {
  const { propagationPolicy, orphanDependents } = options;
  if (strategy.deleteWarning === undefined || propagationPolicy !== undefined || orphanDependents !== undefined) return;
  context.warnings.push(strategy.deleteWarning);
}

function deletedStatus(resource: Resource, name: string, uid: string): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.resource, uid },
  };
}

/** DELETE of a collection. */
export async function removeCollection(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request, formsOf(resource));
  const query = listQuery(resource, info, url);
  const options = await deleteOptions(context);
  warnOfDelete(context, resource, options);
  const page = await deleteSelected(context, resource, query, options);
  return respondList(context, resource, page, accepted, convertedSelection(resource, query.fieldSelector));
}
