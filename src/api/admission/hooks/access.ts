/** The `authorizer` of expressions, over the cluster's own. */
import {
  type AccessDecision,
  type AccessQuery,
  CelAuthorizer,
} from '../../../apimachinery/cel/libraries/authorizer.ts';
import { StatusError } from '../../../apimachinery/errors.ts';
import { parseFieldSelector } from '../../../apimachinery/fields.ts';
import { AUTHENTICATED, type User } from '../../authentication/user.ts';
import type { Attributes } from '../../authorization/attributes.ts';
import { type Review, rulesOf } from './review.ts';

const ACCOUNTS = 'system:serviceaccounts';

/** The value of `authorizer` for a request. */
export function authorizerOf({ context, resource, subresource, namespace, name }: Review): CelAuthorizer {
  const authorizer = rulesOf(context)?.authorizer;
  const check = (query: AccessQuery): AccessDecision => {
    if (authorizer === undefined) return undecided('no authorizer is known');
    try {
      const said = authorizer.authorize(userOf(query, context.user), attributesOf(query));
      return said instanceof Promise ? undecided('the answer is not at hand') : said;
    } catch (error) {
      if (error instanceof StatusError) return undecided(error.message);
      throw error;
    }
  };
  const { group, resource: plural } = resource;
  return new CelAuthorizer(check, { group, resource: plural, subresource, namespace, name });
}

const undecided = (error: string): AccessDecision => ({ allowed: false, reason: '', error });

function userOf({ serviceAccount }: AccessQuery, user: User): User {
  if (serviceAccount === undefined) return user;
  const { namespace, name } = serviceAccount;
  const groups = [ACCOUNTS, `${ACCOUNTS}:${namespace}`, AUTHENTICATED];
  return { name: `system:serviceaccount:${namespace}:${name}`, uid: '', groups, extra: {} };
}

function attributesOf({
  path,
  serviceAccount: _,
  fieldSelector,
  labelSelector: __,
  ...query
}: AccessQuery): Attributes {
  return {
    ...query,
    isResource: path === undefined,
    path: path ?? '',
    ...(fieldSelector === undefined ? {} : { fieldSelector: parseFieldSelector(fieldSelector) }),
  };
}
