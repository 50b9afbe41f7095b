/** SubjectAccessReview and its kin: whether somebody may do something, asked beforehand. */
import { badRequest, invalidObject, StatusError } from '../../apimachinery/errors.ts';
import { type FieldError, forbiddenField, invalid, required } from '../../apimachinery/field.ts';
import { type FieldTerm, parseFieldSelector } from '../../apimachinery/fields.ts';
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { parseSelector } from '../../apimachinery/selector-parser.ts';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  ResourceAttributes,
  SubjectAccessReviewSpec,
} from '../../generated/types/authorization.v1.ts';
import type { User } from '../authentication/user.ts';
import type { Attributes } from '../authorization/attributes.ts';
import { relations } from '../authorization/node-graph.ts';
import type { Context } from '../context.ts';

export interface AccessReview extends KubeObject {
  spec?: SubjectAccessReviewSpec;
}

const AT = 'spec.resourceAttributes';

/** SelfSubjectAccessReview. Answers the status, as all of these do; throws Invalid as upstream. */
export function selfAccess(context: Context, review: AccessReview): Promise<JsonObject> {
  return access(context, context.user, review, specErrors(review.spec ?? {}));
}

/** SubjectAccessReview. */
export function subjectAccess(context: Context, review: AccessReview): Promise<JsonObject> {
  return access(context, subject(review), review, [...specErrors(review.spec ?? {}), ...subjectErrors(review)]);
}

/** LocalSubjectAccessReview: of what is in its own namespace. */
export function localAccess(context: Context, review: AccessReview): Promise<JsonObject> {
  const errors = [...specErrors(review.spec ?? {}), ...subjectErrors(review)];
  const { namespace } = context.info;
  const asked = review.spec?.resourceAttributes?.namespace ?? '';
  if (asked !== namespace) errors.push(invalid(`${AT}.namespace`, asked, 'must match metadata.namespace'));
  if (review.spec?.nonResourceAttributes !== undefined) {
    const why = 'disallowed on this kind of request';
    errors.push(invalid('spec.nonResourceAttributes', goStruct(review.spec), why));
  }
  return access(context, subject(review), review, errors);
}

function subject({ spec = {} }: AccessReview): User {
  return { name: spec.user ?? '', uid: spec.uid ?? '', groups: spec.groups ?? [], extra: spec.extra ?? {} };
}

function subjectErrors({ spec = {} }: AccessReview): FieldError[] {
  const { user = '', groups = [] } = spec;
  if (user !== '' || groups.length > 0) return [];
  return [invalid('spec.user', user, 'at least one of user or group must be specified')];
}

/** Upstream shows its own structure. */
const goStruct = ({ nonResourceAttributes: n }: SubjectAccessReviewSpec) => ({
  Path: n?.path ?? '',
  Verb: n?.verb ?? '',
});

function specErrors(spec: SubjectAccessReviewSpec): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  if (resource !== undefined && other !== undefined) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalid('spec.nonResourceAttributes', goStruct(spec), why)];
  }
  if (resource === undefined && other === undefined) {
    return [invalid(AT, null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')];
  }
  return [
    ...selectorErrors(resource?.fieldSelector, `${AT}.fieldSelector`),
    ...selectorErrors(resource?.labelSelector, `${AT}.labelSelector`),
  ];
}

type Selector = FieldSelectorAttributes | LabelSelectorAttributes;

function selectorErrors(selector: Selector | undefined, at: string): FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = '', requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== '' && requirements.length > 0) {
    errors.push(invalid(`${at}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'));
  }
  if (rawSelector === '' && requirements.length === 0) {
    const why = `when ${at} is specified, requirements or rawSelector is required`;
    errors.push(required(`${at}.requirements`, why));
  }
  requirements.forEach(({ key = '', operator = '', values = [] }, index) => {
    const path = `${at}.requirements[${index}]`;
    if (key === '') errors.push(required(`${path}.key`, 'must be specified'));
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(`${path}.values`, why));
    }
  });
  return errors;
}

async function access(
  { authorizer, around, info }: Context,
  user: User,
  { metadata, spec = {} }: AccessReview,
  errors: readonly FieldError[],
): Promise<JsonObject> {
  // Upstream leaves the kind out when it refuses a review.
  if (errors.length > 0) throw invalidObject({ group: 'authorization.k8s.io', kind: '' }, '', errors);
  if ((metadata.namespace ?? '') !== info.namespace && metadata.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { resourceAttributes: r, nonResourceAttributes: n } = spec;
  const { terms, problems } = selectorsOf(r);
  const attributes: Attributes = {
    verb: r?.verb ?? n?.verb ?? '',
    isResource: r !== undefined,
    group: r?.group ?? '',
    resource: r?.resource ?? '',
    subresource: r?.subresource ?? '',
    namespace: r?.namespace ?? '',
    name: r?.name ?? '',
    path: n?.path ?? '',
    fieldSelector: terms,
  };
  const { allowed, reason } = await authorizer.authorize(user, attributes, relations(around, info.cluster));
  return {
    allowed,
    ...(reason === '' ? {} : { reason }),
    ...(problems.length === 0 ? {} : { evaluationError: problems.join('; ') }),
  };
}

/** The terms that can be understood; the others make what is asked for no smaller. */
function selectorsOf(resource: ResourceAttributes | undefined): { terms: FieldTerm[]; problems: string[] } {
  const problems: string[] = [];
  const terms = fieldTerms(resource?.fieldSelector, problems);
  const { rawSelector = '' } = resource?.labelSelector ?? {};
  if (!parses(() => parseSelector(rawSelector))) problems.push(`${AT}.labelSelector ignored due to parse error`);
  return { terms, problems };
}

function fieldTerms(selector: FieldSelectorAttributes | undefined, problems: string[]): FieldTerm[] {
  if (selector === undefined) return [];
  const { rawSelector = '', requirements = [] } = selector;
  if (rawSelector !== '') {
    if (parses(() => parseFieldSelector(rawSelector))) return parseFieldSelector(rawSelector);
    problems.push(`${AT}.fieldSelector ignored due to parse error`);
    return [];
  }
  const terms = requirements.flatMap(({ key: field = '', operator, values = [] }): FieldTerm[] => {
    const [value] = values;
    if (value === undefined || values.length > 1) return [];
    if (operator === 'In') return [{ field, op: '=', value }];
    return operator === 'NotIn' ? [{ field, op: '!=', value }] : [];
  });
  if (terms.length < requirements.length) {
    const part = terms.length > 0 ? 'partially ignored' : 'ignored';
    problems.push(`${AT}.fieldSelector ${part} due to parse error`);
  }
  return terms;
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}
