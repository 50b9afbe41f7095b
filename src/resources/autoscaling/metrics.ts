/** What an autoscaler goes by: the metrics and how their targets are said. */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { isDns1123Label } from '../../apimachinery/names.ts';
import { canonical, compareQuantity } from '../../apimachinery/quantity.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { HorizontalPodAutoscaler } from '../../generated/types/autoscaling.v2.ts';
import { containerResourceName } from '../validation/resource-names.ts';

type Metric = NonNullable<NonNullable<HorizontalPodAutoscaler['spec']>['metrics']>[number];
type Source<K extends keyof Metric> = NonNullable<Metric[K]>;
type Target = NonNullable<Source<'resource'>['target']>;
type Identifier = NonNullable<Source<'pods'>['metric']>;

/** Which field goes with which type, in the order in which they are looked at. */
const FIELDS: Record<string, keyof Metric> = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
};
const SOURCES = Object.keys(FIELDS).sort();
const TARGETS = ['Utilization', 'Value', 'AverageValue'];

function targetErrors(target: Target, at: string, errors: FieldError[]): void {
  const { type = '', value, averageValue, averageUtilization } = target;
  if (type === '') errors.push(required(`${at}.type`, 'must specify a metric target type'));
  if (!TARGETS.includes(type)) {
    errors.push(invalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const [field, amount] of Object.entries({ value, averageValue })) {
    if (amount !== undefined && compareQuantity(amount, '0') <= 0) {
      errors.push(invalid(`${at}.${field}`, canonical(amount), 'must be positive'));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
}

function identifierErrors({ name = '' }: Identifier, at: string, errors: FieldError[]): void {
  if (name === '') errors.push(required(`${at}.name`, 'must specify a metric name'));
  else for (const problem of pathSegmentName(name, false)) errors.push(invalid(`${at}.name`, name, problem));
}

interface Reference {
  apiVersion?: string;
  kind?: string;
  name?: string;
}

function apiVersionProblem({ apiVersion = '', kind }: Reference, coreIsFine: boolean): string | undefined {
  const parts = apiVersion.split('/');
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const isCore = parts.length === 1 || parts[0] === '';
  return isCore && !coreIsFine && kind !== 'ReplicationController' ? 'apiVersion must specify API group' : undefined;
}

/** Errors of what is scaled or watched (`ValidateCrossVersionObjectReference`). */
export function referenceErrors(reference: Reference, at: string, coreIsFine: boolean, errors: FieldError[]): void {
  for (const field of ['kind', 'name'] as const) {
    const value = reference[field] ?? '';
    if (value === '') errors.push(required(`${at}.${field}`));
    else for (const problem of pathSegmentName(value, false)) errors.push(invalid(`${at}.${field}`, value, problem));
  }
  const problem = apiVersionProblem(reference, coreIsFine);
  if (problem !== undefined) errors.push(invalid(`${at}.apiVersion`, reference.apiVersion ?? '', problem));
}

function objectErrors({ describedObject, metric, target }: Source<'object'>, at: string, errors: FieldError[]): void {
  referenceErrors(describedObject ?? {}, `${at}.describedObject`, true, errors);
  identifierErrors(metric ?? {}, `${at}.metric`, errors);
  targetErrors(target ?? {}, `${at}.target`, errors);
  if (target?.value === undefined && target?.averageValue === undefined) {
    errors.push(required(`${at}.target.averageValue`, 'must set either a target value or averageValue'));
  }
}

function externalErrors({ metric, target }: Source<'external'>, at: string, errors: FieldError[]): void {
  identifierErrors(metric ?? {}, `${at}.metric`, errors);
  targetErrors(target ?? {}, `${at}.target`, errors);
  if (target?.value === undefined && target?.averageValue === undefined) {
    const detail = 'must set either a target value for metric or a per-pod target';
    errors.push(required(`${at}.target.averageValue`, detail));
  }
  if (target?.value !== undefined && target.averageValue !== undefined) {
    const detail = 'may not set both a target value for metric and a per-pod target';
    errors.push(forbiddenField(`${at}.target.value`, detail));
  }
}

function podsErrors({ metric, target }: Source<'pods'>, at: string, errors: FieldError[]): void {
  identifierErrors(metric ?? {}, `${at}.metric`, errors);
  targetErrors(target ?? {}, `${at}.target`, errors);
  if (target?.averageValue === undefined) {
    errors.push(required(`${at}.target.averageValue`, 'must specify a positive target averageValue'));
  }
}

function usageErrors(name: string, target: Target, at: string, errors: FieldError[]): void {
  if (name === '') errors.push(required(`${at}.name`, 'must specify a resource name'));
  targetErrors(target, `${at}.target`, errors);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(required(`${at}.target.averageUtilization`, detail));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(forbiddenField(`${at}.target.averageValue`, detail));
  }
}

function containerErrors(source: Source<'containerResource'>, at: string, errors: FieldError[]): void {
  const { container = '', name = '' } = source;
  if (container === '') errors.push(required(`${at}.container`, 'must specify a container'));
  else for (const problem of isDns1123Label(container)) errors.push(invalid(`${at}.container`, container, problem));
  if (name !== '') containerResourceName(name, `${at}.name`, errors);
  usageErrors(name, source.target ?? {}, at, errors);
}

function sourceErrors(metric: Metric, field: keyof Metric, at: string, errors: FieldError[]): void {
  const { object, external, pods, resource, containerResource } = metric;
  if (field === 'object' && object) objectErrors(object, at, errors);
  if (field === 'external' && external) externalErrors(external, at, errors);
  if (field === 'pods' && pods) podsErrors(pods, at, errors);
  if (field === 'resource' && resource) usageErrors(resource.name ?? '', resource.target ?? {}, at, errors);
  if (field === 'containerResource' && containerResource) containerErrors(containerResource, at, errors);
}

/** Errors of one metric: there is one source, and it is the one that its type names. Only the first source is looked into. */
export function metricErrors(metric: Metric, at: string, errors: FieldError[]): void {
  const type = metric.type ?? '';
  if (type === '') errors.push(required(`${at}.type`, 'must specify a metric source type'));
  const present = Object.values(FIELDS).filter((field) => metric[field] !== undefined);
  if (present[0] !== undefined) sourceErrors(metric, present[0], `${at}.${present[0]}`, errors);
  const expected = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (expected === undefined) {
    // Upstream looks twice, and says it twice.
    errors.push(notSupported(`${at}.type`, type, SOURCES), notSupported(`${at}.type`, type, SOURCES));
  }
  if (expected !== undefined && metric[expected] === undefined) {
    errors.push(required(`${at}.${expected}`, 'must populate information for the given metric source'));
  }
  if (present.length === 1) return;
  for (const field of present) {
    if (field !== expected) errors.push(forbiddenField(`${at}.${field}`, 'must populate the given metric source only'));
  }
}
