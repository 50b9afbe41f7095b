import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../apimachinery/quantity.ts';
import type { ResourceQuota, ResourceQuotaSpec } from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import { keepAllButStatus, statusIsSeparate } from '../strategies.ts';
import { listOf, nullable, struct, text } from '../validation/go-struct.ts';
import { isQuotaResource, quotaResourceName, resourceQuantity } from '../validation/resource-names.ts';
import { core } from './group.ts';

const OF_PODS = ['pods'];
const OF_CLAIMS = ['persistentvolumeclaims', 'requests.storage'];
const COMPUTED = ['pods', 'cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];
/** The scopes, with the resources of Kubernetes' own that each can narrow. */
const SCOPES: Record<string, readonly string[]> = {
  BestEffort: OF_PODS,
  NotBestEffort: COMPUTED,
  Terminating: COMPUTED,
  NotTerminating: COMPUTED,
  PriorityClass: COMPUTED,
  CrossNamespacePodAffinity: COMPUTED,
  VolumeAttributesClass: OF_CLAIMS,
};
const EXISTS_ONLY = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const MUST_EXIST =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

const shownSelector = struct({
  MatchExpressions: listOf(struct({ ScopeName: text, Operator: text, Values: nullable })),
});

const known = (scope: string): boolean => Object.hasOwn(SCOPES, scope);

/** Each limit that the scope says nothing about, and pairs of which nothing can be both. */
function scopeErrors(scopes: readonly string[], spec: ResourceQuotaSpec, path: string, shown: unknown): FieldError[] {
  const errors: FieldError[] = [];
  for (const scope of scopes) {
    if (!known(scope)) continue;
    for (const name of Object.keys(spec.hard ?? {}).sort()) {
      if (isQuotaResource(name) && !SCOPES[scope]?.includes(name)) {
        errors.push(invalid(path, shown, 'unsupported scope applied to resource'));
      }
    }
  }
  for (const kind of ['BestEffort', 'Terminating']) {
    if (scopes.includes(kind) && scopes.includes(`Not${kind}`)) {
      errors.push(invalid(path, spec.scopes ?? null, 'conflicting scopes'));
    }
  }
  return errors;
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const scopes = spec.scopes ?? [];
  const unknown = scopes.filter((scope) => !known(scope));
  return [
    ...unknown.map(() => invalid('spec.scopes', scopes, 'unsupported scope')),
    ...scopeErrors(scopes, spec, 'spec.scopes', scopes),
  ];
}

function validateSelector(spec: ResourceQuotaSpec): FieldError[] {
  const { scopeSelector } = spec;
  if (scopeSelector === undefined) return [];
  const errors: FieldError[] = [];
  const path = 'spec.scopeSelector.matchExpressions';
  const expressions = scopeSelector.matchExpressions ?? [];
  for (const { scopeName = '', operator = '', values = [] } of expressions) {
    if (!known(scopeName)) errors.push(invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    if (EXISTS_ONLY.has(scopeName) && operator !== 'Exists') {
      errors.push(invalid(`${path}.operator`, operator, MUST_EXIST));
    }
    if (operator === 'In' || operator === 'NotIn') {
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (values.length === 0) errors.push(required(`${path}.values`, detail));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (values.length > 0) errors.push(invalid(`${path}.values`, values, detail));
    } else {
      errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
    }
  }
  const names = expressions.map(({ scopeName = '' }) => scopeName);
  return [...errors, ...scopeErrors(names, spec, path, shownSelector(scopeSelector))];
}

function amountErrors(amounts: Record<string, string> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    quotaResourceName(name, `${path}[${name}]`, errors);
    resourceQuantity(name, amount, `${path}[${name}]`, errors);
  }
  return errors;
}

/** `ValidateResourceQuotaSpec`. */
function validate({ spec = {} }: ResourceQuota): FieldError[] {
  return [...amountErrors(spec.hard, 'spec.hard'), ...validateScopes(spec), ...validateSelector(spec)];
}

function validateUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const scopes = new Set(quota.spec?.scopes);
  const was = new Set(old.spec?.scopes);
  if (scopes.size === was.size && [...scopes].every((scope) => was.has(scope))) return validate(quota);
  return [...validate(quota), invalid('spec.scopes', quota.spec?.scopes ?? null, 'field is immutable')];
}

function validateStatusUpdate({ status = {} }: ResourceQuota): FieldError[] {
  return [...amountErrors(status.hard, 'status.hard'), ...amountErrors(status.used, 'status.used')];
}

/** Of a new quota that grants more requests than limits. */
function warnings({ spec }: ResourceQuota, old: ResourceQuota | undefined): string[] {
  if (old !== undefined) return [];
  const hard: Record<string, string> = spec?.hard ?? {};
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((name) => {
    const bare = name === 'cpu' || name === 'memory' ? name : undefined;
    const requests = [`requests.${name}`, bare].find((key) => key !== undefined && Object.hasOwn(hard, key));
    const limits = `limits.${name}`;
    if (requests === undefined || !Object.hasOwn(hard, limits)) return [];
    const [request, limit] = [hard[requests] as string, hard[limits] as string];
    if (compareQuantity(request, limit) <= 0) return [];
    return [`ResourceQuota ${requests} (${canonical(request)}) should be less than ${limits} (${canonical(limit)})`];
  });
}

/** ResourceQuotas. Their status is what the controller counted, and what admission added since. */
export const resourceQuota = core<ResourceQuota>({
  resource: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
  shortNames: ['quota'],
  subresources: [
    statusSubresource<ResourceQuota>('ResourceQuota', {
      ...keepAllButStatus<ResourceQuota>(),
      validateUpdate: validateStatusUpdate,
    }),
  ],
  strategy: {
    ...statusIsSeparate<ResourceQuota>({}),
    validate,
    validateUpdate,
    generation: false,
    returnsDeleted: true,
    metadataChecks: [0, 1],
    warnings,
  },
});
