/** Asks the authorizer for a request, and refuses in upstream's words. */
import { forbidden, StatusError } from '../../apimachinery/errors.ts';
import type { User } from '../authentication/user.ts';
import type { Context } from '../context.ts';
import type { Attributes } from './attributes.ts';
import type { Authorizer } from './authorizer.ts';

/**
 * The issuer's documents hold public keys alone, and other systems read them without an identity of this cluster (as with upstream's
 * `--authorization-always-allow-paths`).
 */
const ALWAYS_ALLOWED = new Set(['/.well-known/openid-configuration', '/openid/v1/jwks']);

/** Throws Forbidden when the user may not do this; `verb` is the request's unless it does something else on the way. */
export function authorize({ user, authorizer, info }: Context, verb: string = info.verb): void {
  const { isResource, group, resource, subresource, namespace, name, path } = info;
  if (verb === 'get' && ALWAYS_ALLOWED.has(path)) return;
  const attributes = { verb, isResource, group, resource, subresource, namespace, name, path };
  permit(authorizer, user, attributes);
}

/** Throws Forbidden when the user may not do what the attributes say. */
export function permit(authorizer: Authorizer, user: User, attributes: Attributes): void {
  if (!authorizer.authorize(user, attributes).allowed) throw denied(user, attributes);
}

function denied(user: User, a: Attributes): StatusError {
  const who = `User ${JSON.stringify(user.name)} cannot`;
  if (!a.isResource) {
    return new StatusError({
      ...forbidden({ group: '', resource: '' }, '', '').status,
      message: `forbidden: ${who} ${a.verb} path ${JSON.stringify(a.path)}`,
      details: {},
    });
  }
  const combined = a.subresource === '' ? a.resource : `${a.resource}/${a.subresource}`;
  const where = a.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(a.namespace)}`;
  const why = `${who} ${a.verb} resource ${JSON.stringify(combined)} in API group ${JSON.stringify(a.group)} ${where}`;
  return forbidden({ group: a.group, resource: a.resource }, a.name, why);
}
