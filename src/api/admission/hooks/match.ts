/** Whether what a webhook or a policy asks for is what a request does (`matching.Matcher`, `rules.Matcher`). */
import { notFound } from '../../../apimachinery/errors.ts';
import { fromLabelSelector, type LabelSelector, matches } from '../../../apimachinery/labels.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type {
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../../../generated/types/admissionregistration.v1.ts';
import { resources } from '../../../resources/index.ts';
import { type Resource, storeOf } from '../../../resources/resource.ts';
import { converting } from '../../conversion/index.ts';
import { inVersion } from '../../registry/conversion.ts';
import { lookUp } from '../lookup.ts';
import { matchesResource } from './hooks.ts';
import { isNamespaces, type Review } from './review.ts';

/** The resource, in the version that the rules ask for, or undefined where they do not match. */
export async function matchResources(review: Review, match: MatchResources): Promise<Resource | undefined> {
  const { resourceRules = [], excludeResourceRules = [], matchPolicy } = match;
  if (!(await matchSelectors(review, match))) return undefined;
  const equivalent = matchPolicy !== 'Exact';
  if (matchRules(review, excludeResourceRules, equivalent) !== undefined) return undefined;
  return resourceRules.length === 0 ? review.resource : matchRules(review, resourceRules, equivalent);
}

/** Whether the labels of the object and of its namespace are those that are asked for. Throws NotFound without a namespace. */
export async function matchSelectors(
  review: Review,
  { namespaceSelector, objectSelector }: Pick<MatchResources, 'namespaceSelector' | 'objectSelector'>,
): Promise<boolean> {
  if (!isEmpty(namespaceSelector)) {
    const namespace = await namespaceOfReview(review);
    const selector = fromLabelSelector(namespaceSelector);
    if (namespace !== undefined && !matches(selector, namespace.metadata.labels)) return false;
  }
  if (isEmpty(objectSelector)) return true;
  const selector = fromLabelSelector(objectSelector);
  return [review.object, review.old].some(
    (object) => object?.metadata !== undefined && matches(selector, object.metadata.labels),
  );
}

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  selector === undefined ||
  (!selector.matchExpressions?.length && Object.keys(selector.matchLabels ?? {}).length === 0);

/** The namespace that a request is in, which for one of a Namespace is that; undefined outside all. Throws NotFound. */
async function namespaceOfReview(review: Review): Promise<KubeObject | undefined> {
  const { resource, subresource, object, old, context, namespace } = review;
  if (isNamespaces(resource) && subresource === '') return object ?? old;
  return namespace === '' ? undefined : namespaceNamed(context, namespace);
}

/** A namespace at most a second old. Throws NotFound. */
export async function namespaceNamed(context: Review['context'], name: string): Promise<KubeObject> {
  const found = await lookUp<KubeObject>(context, 'core/namespaces', name);
  if (found === undefined) throw notFound({ group: '', resource: 'namespaces' }, name);
  return found;
}

/** The resource in the version that some rule names; its own before others that hold the same objects. */
export function matchRules(
  review: Review,
  rules: readonly NamedRuleWithOperations[],
  equivalent: boolean,
): Resource | undefined {
  if (rules.some((rule) => matchRule(review, review.resource, rule))) return review.resource;
  if (!equivalent || rules.length === 0) return undefined;
  for (const rule of rules) {
    const other = equivalents(review.resource).find((resource) => matchRule(review, resource, rule));
    if (other !== undefined) return other;
  }
  return undefined;
}

function matchRule(
  { operation, subresource, namespace, name }: Review,
  resource: Resource,
  rule: RuleWithOperations & NamedRuleWithOperations,
): boolean {
  const { operations = [], apiGroups = [], apiVersions = [], resources: names = [], scope = '*' } = rule;
  const clustered = namespace === '' || isNamespaces(resource);
  return (
    includes(operations, operation) &&
    includes(apiGroups, resource.group) &&
    includes(apiVersions, resource.version) &&
    names.some((pattern) => matchesResource(pattern, resource.resource, subresource)) &&
    (scope === '*' || clustered === (scope === 'Cluster')) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(name))
  );
}

const includes = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

/** Other resources that hold the same objects. */
function equivalents(resource: Resource): Resource[] {
  if (resource.custom !== undefined) return [...resource.custom.versions.values()].filter((r) => r !== resource);
  const store = storeOf(resource);
  return resources.filter((r) => r !== resource && storeOf(r) === store);
}

/** An object in another version of its resource; what is of another kind, as a Scale, is of no version of it. */
export function inVersionOf(
  context: Review['context'],
  matched: Resource,
  resource: Resource,
  object: KubeObject,
): KubeObject | Promise<KubeObject> {
  if (matched === resource || object.kind !== resource.kind) return object;
  return converting(context, resource, () => inVersion(resource, matched, object));
}
