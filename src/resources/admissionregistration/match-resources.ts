/** What policies and their bindings match, and what parameters they take. */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { isDns1035Label, isDns1123Subdomain } from '../../apimachinery/names.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { MatchResources, ParamKind, ParamRef } from '../../generated/types/admissionregistration.v1.ts';
import { each } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';
import { matchPolicy } from './conditions.ts';
import { namedRule } from './rules.ts';

/** Fills in what is matched. */
export function defaultMatch(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

/** Errors of what is matched (`validateMatchResources`). */
export function matchErrors(match: MatchResources, at: string, errors: FieldError[]): void {
  labelSelector(match.namespaceSelector, `${at}.namespaceSelector`, errors);
  labelSelector(match.objectSelector, `${at}.objectSelector`, errors);
  each(namedRule)(match.resourceRules, `${at}.resourceRules`, errors);
  each(namedRule)(match.excludeResourceRules, `${at}.excludeResourceRules`, errors);
  matchPolicy(match.matchPolicy, `${at}.matchPolicy`, errors);
}

/** What a policy can change: there is nothing to change in a deletion. */
const CHANGING_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** Errors of operations that leave nothing to be changed. */
export function changingErrors(match: MatchResources | undefined, at: string, errors: FieldError[]): void {
  for (const operation of match?.resourceRules?.flatMap(({ operations = [] }) => operations) ?? []) {
    if (CHANGING_OPERATIONS.includes(operation)) continue;
    errors.push(notSupported(`${at}.resourceRules.operations`, operation, CHANGING_OPERATIONS));
  }
}

/** Errors of what a policy matches: there must be rules, for its expressions to have types. */
export function constraintErrors(match: MatchResources | undefined, errors: FieldError[]): void {
  const at = 'spec.matchConstraints';
  if (match === undefined) {
    errors.push(required(at));
    return;
  }
  matchErrors(match, at, errors);
  if (!match.resourceRules?.length) errors.push(required(`${at}.resourceRules`));
}

/** Errors of the kind of a policy's parameters (`validateParamKind`). */
export function paramKindErrors({ apiVersion = '', kind = '' }: ParamKind, errors: FieldError[]): void {
  const at = 'spec.paramKind';
  const slash = apiVersion.indexOf('/');
  const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const add = (detail: string): void => void errors.push(invalid(`${at}.apiVersion`, apiVersion, detail));
  if (apiVersion === '') errors.push(required(`${at}.apiVersion`));
  else if (version.includes('/')) add(`unexpected GroupVersion string: ${apiVersion}`);
  else {
    if (group !== '') for (const problem of isDns1123Subdomain(group)) add(problem);
    for (const problem of isDns1035Label(version)) add(problem);
  }
  if (kind === '') errors.push(required(`${at}.kind`));
  for (const problem of kind === '' ? [] : isDns1035Label(kind.toLowerCase())) {
    errors.push(invalid(`${at}.kind`, kind, `may have mixed case, but should otherwise match: ${problem}`));
  }
}

const NOT_FOUND_ACTIONS = ['Deny', 'Allow'];

/** Errors of which parameters a binding gives (`validateParamRef`). */
export function paramRefErrors(ref: ParamRef, errors: FieldError[]): void {
  const at = 'spec.paramRef';
  const { name = '', selector, parameterNotFoundAction: action } = ref;
  if (name !== '' && selector !== undefined) {
    errors.push(forbiddenField(`${at}.name`, 'name and selector are mutually exclusive'));
    errors.push(forbiddenField(`${at}.selector`, 'name and selector are mutually exclusive'));
  } else if (name === '' && selector === undefined) {
    errors.push(required(at, 'one of name or selector must be specified'));
  }
  if (name !== '') {
    for (const problem of pathSegmentName(name, false)) errors.push(invalid(`${at}.name`, name, problem));
  }
  labelSelector(selector, `${at}.selector`, errors);
  const path = `${at}.parameterNotFoundAction`;
  if (!action) errors.push(required(path));
  else if (!NOT_FOUND_ACTIONS.includes(action)) errors.push(notSupported(path, action, NOT_FOUND_ACTIONS));
}
