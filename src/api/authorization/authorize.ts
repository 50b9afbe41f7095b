/** Asks the authorizer for a request, and refuses in upstream's words. */

import { forbidden, StatusError } from '../../apimachinery/errors.ts';
import { parseFieldSelector } from '../../apimachinery/fields.ts';
import type { AuditNotes } from '../audit/notes.ts';
import type { User } from '../authentication/user.ts';
import type { Context } from '../context.ts';
import { ISSUER_DOCUMENTS } from '../issuer.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Attributes, Decision } from './attributes.ts';
import type { Authorizer } from './authorizer.ts';
import type { Related } from './node-authorizer.ts';
import { relations } from './node-graph.ts';

const COLLECTION = new Set(['list', 'watch', 'deletecollection']);

/** Throws Forbidden when the user may not do this; `verb` is the request's unless it does something else on the way. */
export function authorize(context: Context, verb: string = context.info.verb): void | Promise<void> {
  const { info, user, authorizer, around, url, audit } = context;
  if (verb === 'get' && ISSUER_DOCUMENTS.has(info.path)) return;
  return permit(authorizer, user, attributesOf(info, url, verb), relations(around, info.cluster), audit);
}

/** What a request asks for (`GetAuthorizerAttributes`). */
export function attributesOf(info: RequestInfo, url: URL, verb: string = info.verb): Attributes {
  const { isResource, group, resource, subresource, namespace, name, path } = info;
  const attributes: Attributes = { verb, isResource, group, resource, subresource, namespace, name, path };
  const selector = isResource && COLLECTION.has(verb) ? (url.searchParams.get('fieldSelector') ?? '') : '';
  return selector === '' ? attributes : selected(attributes, selector);
}

/** The attributes of a request for a part of a collection. A selector that does not parse selects nothing here, and is refused later. */
function selected(attributes: Attributes, selector: string): Attributes {
  try {
    const fieldSelector = parseFieldSelector(selector);
    const only = fieldSelector.find(({ field, op }) => field === 'metadata.name' && op === '=')?.value ?? '';
    // To ask for a list of one name is to ask for the name.
    const name = attributes.name === '' && !/[/%]|^\.{1,2}$/.test(only) ? only : attributes.name;
    return { ...attributes, name, fieldSelector };
  } catch (error) {
    if (error instanceof StatusError) return attributes;
    throw error;
  }
}

/** Throws Forbidden when the user may not do what the attributes say; the decision is noted down in `audit`. */
export function permit(
  authorizer: Authorizer,
  user: User,
  attributes: Attributes,
  related?: Related,
  audit?: AuditNotes,
): void | Promise<void> {
  const decision = authorizer.authorize(user, attributes, related);
  const settle = ({ allowed, reason }: Decision): void => {
    audit?.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid');
    audit?.annotate('authorization.k8s.io/reason', reason);
    if (!allowed) throw denied(user, attributes, reason);
  };
  return decision instanceof Promise ? decision.then(settle) : settle(decision);
}

/** Forbidden, in upstream's words; what HTML would read as markup is written otherwise. */
export function denied(user: User, a: Attributes, reason: string): StatusError {
  const who = `User ${JSON.stringify(user.name)} cannot`;
  const because = reason === '' ? '' : `: ${reason}`;
  if (!a.isResource) {
    return new StatusError({
      ...forbidden({ group: '', resource: '' }, '', '').status,
      message: `forbidden: ${sanitized(`${who} ${a.verb} path ${JSON.stringify(a.path)}`)}${because}`,
      details: {},
    });
  }
  const combined = a.subresource === '' ? a.resource : `${a.resource}/${a.subresource}`;
  const where = a.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(a.namespace)}`;
  const why = `${who} ${a.verb} resource ${JSON.stringify(combined)} in API group ${JSON.stringify(a.group)} ${where}`;
  return forbidden({ group: a.group, resource: a.resource }, a.name, sanitized(why) + because);
}

const sanitized = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
