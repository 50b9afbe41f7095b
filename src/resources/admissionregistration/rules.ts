/** Which requests webhooks and policies are asked about. */
import { duplicate, type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { NamedRuleWithOperations, RuleWithOperations } from '../../generated/types/admissionregistration.v1.ts';
import { each, oneOf, present, type Rule } from '../validation/rules.ts';

const operation = oneOf('*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE');
const scope = present<string | undefined>(oneOf('*', 'Cluster', 'Namespaced'));

/** A list that must not be empty, in which `*` stands alone. */
function wildcardList(list: readonly string[] = [], path: string, what: string, errors: FieldError[]): void {
  if (list.length === 0) errors.push(required(path));
  if (list.length > 1 && list.includes('*')) {
    errors.push(invalid(path, list, `if '*' is present, must not specify other ${what}`));
  }
}

/** Errors of `resource/subresource` pairs: none may be covered by one before it. */
function resourceErrors(resources: readonly string[] = [], path: string, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(required(path));
  const withAllSubresources = new Set<string>();
  const ofAllResources = new Set<string>();
  let lastIsPlain = false;
  resources.forEach((resource, index) => {
    const at = `${path}[${index}]`;
    const slash = resource.indexOf('/');
    if (resource === '') errors.push(required(at));
    else if (slash < 0) lastIsPlain = resource !== '*';
    if (slash < 0) return;
    const [name, sub] = [resource.slice(0, slash), resource.slice(slash + 1)];
    if (withAllSubresources.has(name)) {
      errors.push(invalid(at, resource, `if '${name}/*' is present, must not specify ${resource}`));
    }
    if (ofAllResources.has(sub)) {
      errors.push(invalid(at, resource, `if '*/${sub}' is present, must not specify ${resource}`));
    }
    if (sub === '*') withAllSubresources.add(name);
    if (name === '*') ofAllResources.add(sub);
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes('*') && lastIsPlain) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(path, resources, detail));
  }
}

/** A rule of a webhook (`validateRuleWithOperations`). */
export const ruleWithOperations: Rule<RuleWithOperations> = (rule, path, errors) => {
  wildcardList(rule.operations, `${path}.operations`, 'operations', errors);
  each<string>(operation)(rule.operations, `${path}.operations`, errors);
  wildcardList(rule.apiGroups, `${path}.apiGroups`, 'API groups', errors);
  wildcardList(rule.apiVersions, `${path}.apiVersions`, 'API versions', errors);
  rule.apiVersions?.forEach((version, index) => {
    if (version === '') errors.push(required(`${path}.apiVersions[${index}]`));
  });
  resourceErrors(rule.resources, `${path}.resources`, errors);
  scope(rule.scope, `${path}.scope`, errors);
};

/** A rule of a policy, which may name objects (`validateNamedRuleWithOperations`). */
export const namedRule: Rule<NamedRuleWithOperations> = (rule, path, errors) => {
  const names = rule.resourceNames ?? [];
  names.forEach((name, index) => {
    for (const problem of pathSegmentName(name, false)) {
      errors.push(invalid(`${path}.resourceNames[${index}]`, name, problem));
    }
    if (names.indexOf(name) < index) errors.push(duplicate(`${path}.resourceNames[${index}]`, name));
  });
  ruleWithOperations(rule, path, errors);
};
