/** Reviews: questions about identity and access, answered and never stored. */
import { settle } from '../../apimachinery/codec/index.ts';
import { badRequest } from '../../apimachinery/errors.ts';
import { formatApiVersion, type JsonObject, type KubeObject, now } from '../../apimachinery/meta.ts';
import { type MessageSchema, schemaFor } from '../../apimachinery/schema/index.ts';
import type { SubjectAccessReviewSpec } from '../../generated/types/authorization.v1.ts';
import type { AccessReview } from '../../resources/authorization/validation.ts';
import type { Resource } from '../../resources/resource.ts';
import { placeOf } from '../authentication/place.ts';
import { API_AUDIENCE, InvalidToken } from '../authentication/tokens.ts';
import type { User } from '../authentication/user.ts';
import { missingRole } from '../authorization/rbac.ts';
import type { Context } from '../context.ts';
import { decodeBody } from '../decode.ts';
import { negotiate, UNTABLED } from '../negotiation.ts';
import { transformObject } from '../printers/transform.ts';
import { ensureNamespace, wipeSystemFields } from '../registry/create.ts';
import { trackAnswered } from '../registry/managed-fields.ts';
import { respond } from '../respond.ts';
import { localAccess, selfAccess, subjectAccess } from './access-reviews.ts';
import type { Handler } from './handler.ts';
import { requestOptions } from './options.ts';

type Answer = (context: Context, review: Review) => Promise<JsonObject> | JsonObject;

/** Of whatever kind: each answer reads its own fields. */
interface Review extends AccessReview {
  spec?: SubjectAccessReviewSpec & { namespace?: string; token?: string; audiences?: string[] };
}

const ANSWERS: Record<string, Answer> = {
  selfsubjectaccessreviews: selfAccess,
  subjectaccessreviews: subjectAccess,
  localsubjectaccessreviews: localAccess,
  selfsubjectrulesreviews: rules,
  selfsubjectreviews: ({ user }) => ({ userInfo: userInfo(user) }),
  tokenreviews: tokenReview,
};

/** Of which upstream answers another object than the one it was sent: the asker's question is not repeated. */
const ANSWERED_ANEW: Readonly<Record<string, () => JsonObject>> = {
  selfsubjectrulesreviews: () => ({ metadata: {}, spec: {} }),
  selfsubjectreviews: () => ({ metadata: { creationTimestamp: now() } }),
};

/** The handler of a review; undefined for resources that are stored. */
export function reviewHandler(resource: Resource): Handler | undefined {
  const answer = resource.custom === undefined ? ANSWERS[resource.resource] : undefined;
  if (answer === undefined) return undefined;
  return async (context) => {
    const accepted = negotiate(context.request, UNTABLED);
    const options = requestOptions(context.url, context.request.headers.get('user-agent'), 'CreateOptions');
    const { object, warnings } = await decodeBody(context.request, resource, options.fieldValidation);
    context.warnings.push(...warnings);
    ensureNamespace(resource, object, context.info.namespace);
    wipeSystemFields(object);
    const anew = ANSWERED_ANEW[resource.resource];
    if (anew === undefined) trackAnswered(object, '', options.fieldManager);
    const status = await answer(context, object as Review);
    const { apiVersion, kind } = object;
    const answered = { ...(anew === undefined ? object : { apiVersion, kind, ...anew() }), status };
    settle(answered as JsonObject, schemaFor(formatApiVersion(resource), resource.kind) as MessageSchema);
    return respond(
      transformObject(resource, answered as KubeObject, accepted, context.url),
      accepted,
      201,
      context.warnings,
    );
  };
}

function rules(context: Context, review: Review): JsonObject {
  if (!review.spec?.namespace) throw badRequest('no namespace on request');
  const { rules: held, incomplete, missing } = context.authorizer.rulesFor(context.user, review.spec.namespace);
  const resourceRules = held
    .filter((rule) => (rule.resources ?? []).length > 0)
    .map(({ verbs = [], apiGroups = [], resources = [], resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      resourceNames,
    }));
  const nonResourceRules = held
    .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
    .map(({ verbs = [], nonResourceURLs = [] }) => ({ verbs, nonResourceURLs }));
  const problems = new Set(missing.map(missingRole));
  const all = [...(incomplete ? ['node authorizer does not support user rule resolution'] : []), ...problems];
  const evaluationError = all.length > 1 ? `[${all.join(', ')}]` : (all[0] ?? '');
  return { resourceRules, nonResourceRules, incomplete, evaluationError };
}

async function tokenReview(context: Context, review: Review): Promise<JsonObject> {
  const { token, audiences } = review.spec ?? {};
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  const wanted = audiences?.length ? audiences : [API_AUDIENCE];
  const place = placeOf(context.info, context.around, context.snapshot);
  try {
    const { user, audiences: common } = await context.authenticator.review(token, wanted, place);
    return { authenticated: true, user: userInfo(user), audiences: common };
  } catch (error) {
    if (error instanceof InvalidToken) return { user: {}, error: error.message };
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
