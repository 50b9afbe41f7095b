/** POST `serviceaccounts/token`: a signed token for a ServiceAccount, bound to a pod, node or secret where the request says so. */
import { badRequest, conflict, invalidObject, notFound } from '../../apimachinery/errors.ts';
import { invalid } from '../../apimachinery/field.ts';
import { type JsonObject, type KubeObject, parseApiVersion } from '../../apimachinery/meta.ts';
import type { MintRequest } from '../../durable-objects/cluster-rpc.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { findResource } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';
import { admitSubresource } from '../admission/chain.ts';
import { API_AUDIENCE } from '../authentication/tokens.ts';
import type { Context } from '../context.ts';
import { decodeBody } from '../decode.ts';
import { negotiate, UNTABLED } from '../negotiation.ts';
import { ensureNamespace } from '../registry/create.ts';
import { decodeText } from '../registry/encode.ts';
import { trackAnswered } from '../registry/managed-fields.ts';
import { respond } from '../respond.ts';
import { requestOptions } from './options.ts';
import { requestKey, storeFor } from './read.ts';

const HOUR = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' };

interface TokenRequest extends KubeObject {
  spec?: {
    audiences?: string[];
    expirationSeconds?: number;
    boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string };
  };
}

/** Mints the token and answers the TokenRequest with its status. Throws Invalid for an expiry out of bounds. */
export async function requestToken(context: Context, resource: Resource): Promise<Response> {
  const { request, info, around } = context;
  const accepted = negotiate(request, UNTABLED);
  const expected = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
  const options = requestOptions(context.url, request.headers.get('user-agent'), 'CreateOptions');
  const decoded = await decodeBody(request, expected, options.fieldValidation);
  context.warnings.push(...decoded.warnings);
  const body: TokenRequest = decoded.object;
  ensureNamespace(resource, body, info.namespace);
  checkName(body, info.name);
  const text = await storeFor(context, resource).get(requestKey(context, resource));
  if (text === null) throw notFound(resource, info.name);
  const account = decodeText(text);
  checkAccount(body, account);

  const seconds = body.spec?.expirationSeconds ?? HOUR;
  checkExpiry(seconds);
  body.spec = { ...body.spec, expirationSeconds: seconds };
  trackAnswered(body, 'token', options.fieldManager);
  const { managedFields } = body.metadata;
  const audiences = body.spec?.audiences?.length ? body.spec.audiences : [API_AUDIENCE];
  await admitSubresource(context, resource, 'token', body, options);
  const bound = await boundObject(context, body, info.name);
  const credential = await around.cluster(info.cluster).mint({
    user: `system:serviceaccount:${info.namespace}:${info.name}`,
    groups: [],
    audiences,
    ttlSeconds: seconds,
    serviceAccount: { namespace: info.namespace, name: info.name, uid: account.metadata.uid ?? '', ...bound },
  });
  const answer = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      name: info.name,
      namespace: info.namespace,
      uid: account.metadata.uid,
      creationTimestamp: account.metadata.creationTimestamp,
      managedFields,
    },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: body.spec?.boundObjectRef ?? null },
    status: { token: credential.token, expirationTimestamp: credential.expirationTimestamp },
  } as JsonObject;
  return respond(answer, accepted, 201, context.warnings);
}

/** A request may say whose token it wants, if it says the same as the path. */
function checkName({ metadata }: TokenRequest, account: string): void {
  const { name = '' } = metadata;
  if (name === '' || name === account) return;
  const why = 'must match the service account name if specified';
  throw invalidObject(KIND, account, [invalid('metadata.name', name, why)]);
}

function checkAccount({ metadata }: TokenRequest, { metadata: { name, uid } }: KubeObject): void {
  if (!metadata.uid || metadata.uid === uid) return;
  const why = `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`;
  throw conflict({ group: KIND.group, resource: KIND.kind }, name, why);
}

function checkExpiry(seconds: number): void {
  const field = 'spec.expirationSeconds';
  if (seconds < MIN_SECONDS) {
    throw invalidObject(KIND, '', [invalid(field, seconds, 'may not specify a duration less than 10 minutes')]);
  }
  if (seconds > MAX_SECONDS) {
    throw invalidObject(KIND, '', [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]);
  }
}

type Bound = Pick<NonNullable<MintRequest['serviceAccount']>, 'pod' | 'node' | 'secret'>;

async function boundObject(context: Context, body: TokenRequest, account: string): Promise<Bound> {
  const reference = body.spec?.boundObjectRef;
  if (reference === undefined || reference === null) return {};
  const { kind = '', apiVersion = '' } = reference;
  const { group, version } = parseApiVersion(apiVersion);
  const plural = group === '' ? { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[kind] : undefined;
  if (plural === undefined || reference.name === undefined) {
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
  const target = findResource('', 'v1', plural) as Resource;
  const key = plural === 'nodes' ? reference.name : `${context.info.namespace}/${reference.name}`;
  const text = await storeFor(context, target).get(key);
  if (text === null) throw notFound(target, reference.name);
  const object = decodeText<Pod>(text);
  const uid = object.metadata.uid ?? '';
  if (reference.uid && reference.uid !== uid) {
    const why = `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', resource: reference.kind ?? '' }, reference.name, why);
  }
  const bound = { name: reference.name, uid };
  if (plural !== 'pods') return plural === 'nodes' ? { node: bound } : { secret: bound };
  if (object.spec?.serviceAccountName !== account) {
    const who = `serviceaccount ${JSON.stringify(account)}`;
    throw badRequest(`cannot bind token for ${who} to pod running with different serviceaccount name.`);
  }
  return { pod: bound, ...(await nodeOf(context, object)) };
}

async function nodeOf(context: Context, pod: Pod): Promise<Bound> {
  const name = pod.spec?.nodeName;
  if (!name) return {};
  const text = await storeFor(context, findResource('', 'v1', 'nodes') as Resource).get(name);
  return text === null ? {} : { node: { name, uid: decodeText(text).metadata.uid ?? '' } };
}
