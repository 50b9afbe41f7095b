/** Reviews: questions about identity and access, answered and never stored. */
import { badRequest, invalidObject, StatusError } from '../../apimachinery/errors.ts';
import { type FieldError, invalid } from '../../apimachinery/field.ts';
import { type JsonObject, type KubeObject, now } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import { API_AUDIENCE, userOf, verifyToken } from '../authentication/authenticate.ts';
import type { User } from '../authentication/user.ts';
import type { Attributes } from '../authorization/attributes.ts';
import type { Context } from '../context.ts';
import { decodeBody } from '../decode.ts';
import { negotiate } from '../negotiation.ts';
import { trackAnswered } from '../registry/managed-fields.ts';
import { respond } from '../respond.ts';
import type { Handler } from './handler.ts';
import { requestOptions } from './options.ts';

type Answer = (context: Context, review: Review) => Promise<JsonObject> | JsonObject;

interface Review extends KubeObject {
  spec?: {
    resourceAttributes?: Partial<Record<'verb' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name', string>>;
    nonResourceAttributes?: { verb?: string; path?: string };
    user?: string;
    uid?: string;
    groups?: string[];
    extra?: Record<string, string[]>;
    namespace?: string;
    token?: string;
    audiences?: string[];
  };
}

const ANSWERS: Record<string, Answer> = {
  selfsubjectaccessreviews: (context, review) => access(context, context.user, review),
  subjectaccessreviews: (context, review) => access(context, subject(review), review),
  localsubjectaccessreviews: (context, review) => {
    const { namespace = '' } = review.spec?.resourceAttributes ?? {};
    if (namespace !== context.info.namespace) {
      throw unfit(invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'));
    }
    return access(context, subject(review), review);
  },
  selfsubjectrulesreviews: rules,
  selfsubjectreviews: ({ user }) => ({ userInfo: userInfo(user) }),
  tokenreviews: tokenReview,
};

/** Of which upstream answers another object than the one it was sent. */
const ANSWERED_ANEW = new Set(['selfsubjectrulesreviews', 'selfsubjectreviews']);

/** The handler of a review; undefined for resources that are stored. */
export function reviewHandler(resource: Resource): Handler | undefined {
  const answer = ANSWERS[resource.resource];
  if (answer === undefined) return undefined;
  return async (context) => {
    const accepted = negotiate(context.request);
    const options = requestOptions(context.url, context.request.headers.get('user-agent'), 'CreateOptions');
    const { object } = await decodeBody(context.request, resource, 'Warn');
    if (!ANSWERED_ANEW.has(resource.resource)) trackAnswered(object, '', options.fieldManager);
    const status = await answer(context, object as Review);
    // Of all reviews this one alone says when it was made.
    if (resource.resource === 'selfsubjectreviews') object.metadata.creationTimestamp = now();
    // The question is not repeated where only the asker's own rules are told.
    if (resource.resource === 'selfsubjectrulesreviews') Object.assign(object, { spec: {} });
    return respond({ ...object, status } as unknown as JsonObject, accepted, 201);
  };
}

/** Upstream leaves the kind out when it refuses a review. */
const unfit = (error: FieldError): StatusError =>
  invalidObject({ group: 'authorization.k8s.io', kind: '' }, '', [error]);

function subject(review: Review): User {
  const { user = '', groups = [], uid = '', extra = {} } = review.spec ?? {};
  if (user === '' && groups.length === 0) {
    throw unfit(invalid('spec.user', user, 'at least one of user or group must be specified'));
  }
  return { name: user, uid, groups, extra };
}

function access({ authorizer }: Context, user: User, review: Review): JsonObject {
  const { resourceAttributes: r, nonResourceAttributes: n } = review.spec ?? {};
  if (r === undefined && n === undefined) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw unfit(invalid('spec.resourceAttributes', null, why));
  }
  if (r !== undefined && n !== undefined) {
    const given = { Path: n.path ?? '', Verb: n.verb ?? '' };
    const why = 'cannot be specified in combination with resourceAttributes';
    throw unfit(invalid('spec.nonResourceAttributes', given, why));
  }
  const attributes: Attributes = {
    verb: r?.verb ?? n?.verb ?? '',
    isResource: r !== undefined,
    group: r?.group ?? '',
    resource: r?.resource ?? '',
    subresource: r?.subresource ?? '',
    namespace: r?.namespace ?? '',
    name: r?.name ?? '',
    path: n?.path ?? '',
  };
  const { allowed, reason } = authorizer.authorize(user, attributes);
  return { allowed, ...(reason === '' ? {} : { reason }) };
}

function rules(context: Context, review: Review): JsonObject {
  if (!review.spec?.namespace) throw badRequest('no namespace on request');
  const all = context.user.groups.includes('system:masters')
    ? [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ]
    : context.authorizer.rulesFor(context.user, review.spec?.namespace ?? '');
  const resourceRules = all
    .filter((rule) => rule.resources !== undefined)
    .map(({ verbs = [], apiGroups = [], resources = [], resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      resourceNames,
    }));
  const nonResourceRules = all
    .filter((rule) => rule.nonResourceURLs !== undefined)
    .map(({ verbs = [], nonResourceURLs = [] }) => ({ verbs, nonResourceURLs }));
  return { incomplete: false, resourceRules, nonResourceRules };
}

async function tokenReview({ snapshot }: Context, review: Review): Promise<JsonObject> {
  if (!review.spec?.token) throw badRequest('token is required for TokenReview in authentication');
  const audiences = review.spec?.audiences?.length ? review.spec.audiences : [API_AUDIENCE];
  try {
    const claims = await verifyToken(review.spec?.token ?? '', snapshot, audiences);
    return { authenticated: true, user: userInfo(userOf(claims)), audiences };
  } catch (error) {
    if (error instanceof StatusError) return { user: {}, error: 'invalid bearer token' };
    throw error;
  }
}

function userInfo(user: User): JsonObject {
  const extra = Object.fromEntries(Object.entries(user.extra).map(([k, v]) => [k, [...v]]));
  return {
    username: user.name,
    ...(user.uid === '' ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
