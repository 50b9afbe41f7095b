/** What reviews of access must look like, after upstream's `apis/authorization/validation`. */
import { goObject } from '../../apimachinery/codec/index.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Json, JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  SubjectAccessReviewSpec,
} from '../../generated/types/authorization.v1.ts';
import type { Rule } from '../validation/rules.ts';
import { type Requirement, reviewedField, reviewedLabel } from '../validation/selectors.ts';

export interface AccessReview extends KubeObject {
  spec?: SubjectAccessReviewSpec;
}

export const RESOURCE_ATTRIBUTES = 'spec.resourceAttributes';

/** `ValidateSelfSubjectAccessReview`. */
export function selfErrors({ metadata, spec = {} }: AccessReview): FieldError[] {
  return [...choiceErrors(spec), ...attributeErrors(spec), ...metadataErrors(metadata, 'must be empty')];
}

/** `ValidateSubjectAccessReview`. */
export function subjectErrors({ metadata, spec = {} }: AccessReview): FieldError[] {
  return [...specErrors(spec), ...metadataErrors(metadata, 'must be empty')];
}

/** `ValidateLocalSubjectAccessReview`; the review is in its namespace already. */
export function localErrors({ metadata, spec = {} }: AccessReview): FieldError[] {
  const errors = [...specErrors(spec), ...metadataErrors(metadata, 'must be empty except for namespace', 'namespace')];
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  const { namespace = '' } = resource ?? {};
  if (resource !== undefined && namespace !== metadata.namespace) {
    errors.push(invalid(`${RESOURCE_ATTRIBUTES}.namespace`, namespace, 'must match metadata.namespace'));
  }
  if (other !== undefined) {
    errors.push(invalid('spec.nonResourceAttributes', goStruct(spec), 'disallowed on this kind of request'));
  }
  return errors;
}

function specErrors(spec: SubjectAccessReviewSpec): FieldError[] {
  const { user = '', groups = [] } = spec;
  const nobody =
    user === '' && groups.length === 0
      ? [invalid('spec.user', user, 'at least one of user or group must be specified')]
      : [];
  return [...choiceErrors(spec), ...nobody, ...attributeErrors(spec)];
}

function choiceErrors(spec: SubjectAccessReviewSpec): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  if (resource !== undefined && other !== undefined) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalid('spec.nonResourceAttributes', goStruct(spec), why)];
  }
  if (resource !== undefined || other !== undefined) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalid(RESOURCE_ATTRIBUTES, null, why)];
}

function attributeErrors({ resourceAttributes: resource }: SubjectAccessReviewSpec): FieldError[] {
  return [
    ...selectorErrors(resource?.fieldSelector, `${RESOURCE_ATTRIBUTES}.fieldSelector`, reviewedField),
    ...selectorErrors(resource?.labelSelector, `${RESOURCE_ATTRIBUTES}.labelSelector`, reviewedLabel),
  ];
}

/** Upstream shows its own structure, whose fields have no names in JSON. */
const goStruct = ({ nonResourceAttributes: n }: SubjectAccessReviewSpec): JsonObject => ({
  Path: n?.path ?? '',
  Verb: n?.verb ?? '',
});

type Selector = FieldSelectorAttributes | LabelSelectorAttributes;

function selectorErrors(selector: Selector | undefined, at: string, rule: Rule<Requirement>): FieldError[] {
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
  requirements.forEach((requirement, index) => {
    rule(requirement, `${at}.requirements[${index}]`, errors);
  });
  return errors;
}

/** A question has no name, nor anything else that objects have; `managedFields` do not count. */
function metadataErrors(metadata: KubeObject['metadata'], why: string, ...allowed: string[]): FieldError[] {
  const shown = goObject(metadata as unknown as Json, 'meta.v1.ObjectMeta') as JsonObject;
  const others = Object.keys(shown).filter((key) => key !== 'managedFields' && !allowed.includes(key));
  return others.length === 0 ? [] : [invalid('metadata', shown, why)];
}
