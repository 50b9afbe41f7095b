/** SubjectAccessReview and its kin: whether somebody may do something, asked beforehand. */
import { invalidObject, StatusError } from '../../apimachinery/errors.ts';
import type { FieldError } from '../../apimachinery/field.ts';
import { type FieldTerm, parseFieldSelector } from '../../apimachinery/fields.ts';
import type { JsonObject } from '../../apimachinery/meta.ts';
import { parseSelector } from '../../apimachinery/selector-parser.ts';
import type { FieldSelectorAttributes, ResourceAttributes } from '../../generated/types/authorization.v1.ts';
import {
  type AccessReview,
  RESOURCE_ATTRIBUTES as AT,
  localErrors,
  selfErrors,
  subjectErrors,
} from '../../resources/authorization/validation.ts';
import type { User } from '../authentication/user.ts';
import type { Attributes } from '../authorization/attributes.ts';
import { relations } from '../authorization/node-graph.ts';
import type { Context } from '../context.ts';

/** SelfSubjectAccessReview. Answers the status, as all of these do; throws Invalid as upstream. */
export function selfAccess(context: Context, review: AccessReview): Promise<JsonObject> {
  return access(context, context.user, review, selfErrors(review));
}

/** SubjectAccessReview. */
export function subjectAccess(context: Context, review: AccessReview): Promise<JsonObject> {
  return access(context, subject(review), review, subjectErrors(review));
}

/** LocalSubjectAccessReview: of what is in its own namespace. */
export function localAccess(context: Context, review: AccessReview): Promise<JsonObject> {
  return access(context, subject(review), review, localErrors(review));
}

function subject({ spec = {} }: AccessReview): User {
  return { name: spec.user ?? '', uid: spec.uid ?? '', groups: spec.groups ?? [], extra: spec.extra ?? {} };
}

async function access(
  { authorizer, around, info }: Context,
  user: User,
  { spec = {} }: AccessReview,
  errors: readonly FieldError[],
): Promise<JsonObject> {
  // Upstream leaves the kind out when it refuses a review.
  if (errors.length > 0) throw invalidObject({ group: 'authorization.k8s.io', kind: '' }, '', errors);
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
  const { rawSelector = '', requirements = [] } = resource?.labelSelector ?? {};
  if (!parses(() => parseSelector(rawSelector))) problems.push(`${AT}.labelSelector ignored due to parse error`);
  const known = requirements.filter(({ operator = '' }) => LABEL_OPERATORS.has(operator));
  if (known.length < requirements.length) problems.push(notAll('labelSelector', known.length > 0));
  return { terms, problems };
}

const LABEL_OPERATORS = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

const notAll = (selector: string, some: boolean): string =>
  `${AT}.${selector} ${some ? 'partially ignored' : 'ignored'} due to parse error`;

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
  if (terms.length < requirements.length) problems.push(notAll('fieldSelector', terms.length > 0));
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
