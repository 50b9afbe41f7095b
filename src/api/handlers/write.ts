/** create, update, delete, deletecollection. */
import {
  alreadyExists,
  BEING_DELETED,
  badRequest,
  forbidden,
  invalidObject,
  StatusError,
} from '../../apimachinery/errors.ts';
import { invalid, notSupported } from '../../apimachinery/field.ts';
import type { JsonObject, KubeObject, Status } from '../../apimachinery/meta.ts';
import type { DeleteRequest, RequestOptions } from '../../durable-objects/rpc.ts';
import { type Resource, storeOf } from '../../resources/resource.ts';
import { admit, validate } from '../admission/chain.ts';
import { checkDelete } from '../admission/namespace-lifecycle.ts';
import { authorize } from '../authorization/authorize.ts';
import { nodeNameOf } from '../authorization/node-authorizer.ts';
import type { Context, Requester } from '../context.ts';
import { converting, readStored } from '../conversion/index.ts';
import { convertedSelection } from '../conversion/selection.ts';
import { contentType, decodeBody, decodeBytes, readBody } from '../decode.ts';
import { type Accepted, formsOf, negotiate } from '../negotiation.ts';
import {
  applyDefaults,
  beforeCreate,
  ensureNamespace,
  fillSystemFields,
  generateName,
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
import { integerOf } from './list-options.ts';
import { dryRun, listQuery, requestOptions } from './options.ts';
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
  if (!applied) await converting(context, resource, () => trackCreate(resource, object, options));
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
  if ('status' in result && isMissing(result.status) && resource.strategy.createOnUpdate && info.subresource === '') {
    await authorize(context, 'create');
    delete body.object.metadata.resourceVersion;
    const text = await createObject(context, resource, body.object, options);
    return respondObject(resource, text, accepted, url, 201, context.warnings);
  }
  return respondChange(context, resource, accepted, unwrap(result));
}

/** A PUT says of which object it is, in the URL and in the body. Throws BadRequest. */
function checkName({ metadata }: KubeObject, name: string): void {
  if ((metadata.name ?? '') === '') {
    const why = 'was undeterminable: name must be provided';
    throw badRequest(`the name of the object (${name} based on URL) ${why}`);
  }
  named({ metadata } as KubeObject, name);
}

/** Whether a change failed because there is nothing to change. */
export const isMissing = (status: Status): boolean => status.reason === 'NotFound';

/** Throws BadRequest when the object is not the one of the URL. */
export function named(object: KubeObject, name: string): KubeObject {
  const given = object.metadata.name ?? '';
  if (given !== '' && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  object.metadata.name = name;
  return object;
}

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

const POLICIES = ['Foreground', 'Background', 'Orphan', 'nil'];

/** Options of a delete, from the body or else the query. Throws Invalid as upstream. */
export async function deleteOptions(context: Context): Promise<DeleteRequest> {
  const { request, url } = context;
  const bytes = await readBody(request);
  const q = url.searchParams;
  const kind = { group: '', version: 'v1', kind: 'DeleteOptions', unversioned: true };
  const body =
    bytes.byteLength === 0
      ? {}
      : (decodeBytes(bytes, contentType(request), kind, 'Ignore').object as unknown as DeleteBody);
  const grace =
    body.gracePeriodSeconds ?? (q.get('gracePeriodSeconds') ? integerOf(q, 'gracePeriodSeconds') : undefined);
  const policy = body.propagationPolicy ?? q.get('propagationPolicy') ?? undefined;
  const errors = [
    ...(policy === undefined || POLICIES.slice(0, 3).includes(policy)
      ? []
      : [notSupported('propagationPolicy', policy, POLICIES)]),
    ...(policy === undefined || body.orphanDependents === undefined
      ? []
      : [invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set')]),
  ];
  if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const node = nodeNameOf(context.user);
  return {
    ...(node === undefined ? {} : { node }),
    dryRun: dryRun([...(body.dryRun ?? []), ...q.getAll('dryRun')], 'DeleteOptions'),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as NonNullable<DeleteRequest['propagationPolicy']> }),
    ...(body.orphanDependents === undefined ? {} : { orphanDependents: body.orphanDependents }),
    ...(body.preconditions === undefined ? {} : { preconditions: body.preconditions }),
  };
}

interface DeleteBody {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: DeleteRequest['preconditions'];
  dryRun?: string[];
}

/** DELETE of one object. */
export async function remove(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request, formsOf(resource));
  const options = await deleteOptions(context);
  checkDelete(resource, info.name);
  const kept = resource.strategy.whyKept?.(info.name);
  if (kept !== undefined) throw forbidden(resource, info.name, kept);
  const result = unwrap(await deleteObject(context, resource, info.name, options));
  const text = await readStored(context, resource, result.text);
  if (!result.deleted || resource.strategy.returnsDeleted) return respondObject(resource, text, accepted, url);
  const { uid } = decodeText(text).metadata;
  return respond(deletedStatus(resource, info.name, uid ?? ''), accepted);
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
  const options = await deleteOptions(context);
  const query = listQuery(resource, info, url);
  const page = await deleteSelected(context, resource, query, options);
  return respondList(context, resource, page, accepted, convertedSelection(resource, query.fieldSelector));
}
