/** What a CustomResourceDefinition may say (`ValidateCustomResourceDefinition`). */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { byteLength, isDns1035Label, isDns1123Subdomain } from '../../apimachinery/names.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  JSONSchemaProps,
  CustomResourceDefinitionVersion as Version,
} from '../../generated/types/apiextensions.v1.ts';
import { immutable } from '../validation/rules.ts';
import { webhookServiceErrors, webhookUrlErrors } from '../validation/webhooks.ts';
import { visitSchemas } from './structural.ts';
import { shownVersions, versionViews } from './versions.ts';
import { viewErrors } from './views.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const STRATEGIES = ['None', 'Webhook'];
const REVIEWS = ['v1', 'v1beta1'];
const LONGEST_WARNING = 256;

function groupErrors(group: string): FieldError[] {
  if (group === '') return [required('spec.group')];
  const problems = isDns1123Subdomain(group);
  if (problems.length === 0 && !group.includes('.')) problems.push('should be a domain with at least one dot');
  return problems.length === 0 ? [] : [invalid('spec.group', group, problems.join(','))];
}

/** Errors of names that are there. */
function namesErrors(names: CustomResourceDefinitionNames, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (value: string, path: string, mixed: boolean): void => {
    const problem = isDns1035Label(mixed ? value.toLowerCase() : value).join(',');
    if (problem === '') return;
    const detail = mixed ? `may have mixed case, but should otherwise match: ${problem}` : problem;
    errors.push(invalid(path, value, detail));
  };
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (names[field]) check(names[field], `${at}.${field}`, field === 'kind' || field === 'listKind');
  }
  for (const field of ['shortNames', 'categories'] as const) {
    names[field]?.forEach((name, index) => {
      check(name, `${at}.${field}[${index}]`, false);
    });
  }
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid(`${at}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
  return errors;
}

function missingNames(names: CustomResourceDefinitionNames): FieldError[] {
  return (['plural', 'singular', 'kind', 'listKind'] as const)
    .filter((field) => !names[field])
    .map((field) => required(`spec.names.${field}`));
}

function versionErrors(version: Version, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', deprecated, deprecationWarning: warning } = version;
  const problem = isDns1035Label(name).join(',');
  if (problem !== '') errors.push(invalid(`${at}.name`, name, problem));
  const bad = (detail: string): void => void errors.push(invalid(`${at}.deprecationWarning`, warning, detail));
  if (warning === undefined) return errors;
  if (deprecated !== true) bad('can only be set for deprecated versions');
  else {
    if (byteLength(warning) > LONGEST_WARNING) bad(`must be <= ${LONGEST_WARNING} characters long`);
    if (warning === '') bad('must not be an empty string');
    const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning);
    if (odd !== null) {
      const where = byteLength(warning.slice(0, odd.index));
      bad(`must only contain printable UTF-8 characters; non-printable character found at index ${where}`);
    }
  }
  return errors;
}

function versionsErrors({ versions }: CustomResourceDefinitionSpec): FieldError[] {
  const errors: FieldError[] = [];
  const list = versions ?? [];
  list.forEach((version, index) => {
    const at = `spec.versions[${index}]`;
    if (version.schema?.openAPIV3Schema === undefined) errors.push(required(`${at}.schema.openAPIV3Schema`));
    errors.push(...versionErrors(version, at));
  });
  // The first version is also what the only one was called before there were several.
  const first = list[0]?.name ?? '';
  const problem = first === '' ? '' : isDns1035Label(first).join(',');
  if (problem !== '') errors.push(invalid('spec.version', first, problem));
  const add = (detail: string): void => void errors.push(invalid('spec.versions', shownVersions(versions), detail));
  if (new Set(list.map(({ name }) => name)).size < list.length) add('must contain unique version names');
  if (list.filter(({ storage }) => storage === true).length !== 1) {
    add('must have exactly one version marked as storage version');
  }
  for (const view of versionViews(list)) viewErrors(view, errors);
  return errors;
}

function conversionErrors({ conversion }: CustomResourceDefinitionSpec): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'spec.conversion';
  const { strategy = '', webhook } = conversion ?? {};
  if (strategy === '') errors.push(required(`${at}.strategy`));
  else if (!STRATEGIES.includes(strategy)) errors.push(notSupported(`${at}.strategy`, strategy, STRATEGIES));
  const { clientConfig, conversionReviewVersions: reviews = [] } = webhook ?? {};
  const path = `${at}.webhookClientConfig`;
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook';
    if (clientConfig !== undefined) errors.push(forbiddenField(path, detail));
    if (reviews.length > 0) errors.push(forbiddenField(`${at}.conversionReviewVersions`, detail));
    return errors;
  }
  const { url, service } = clientConfig ?? {};
  if (clientConfig === undefined) errors.push(required(path, 'required when strategy is set to Webhook'));
  else if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'));
  } else if (url !== undefined) errors.push(...webhookUrlErrors(url, `${path}.url`));
  else if (service !== undefined) errors.push(...webhookServiceErrors(service, `${path}.service`));
  if (reviews.length === 0) errors.push(required(`${at}.conversionReviewVersions`));
  reviews.forEach((version, index) => {
    const field = `${at}.conversionReviewVersions[${index}]`;
    if (reviews.indexOf(version) < index) errors.push(invalid(field, version, 'duplicate version'));
    else errors.push(...isDns1035Label(version).map((problem) => invalid(field, version, problem)));
  });
  if (reviews.length > 0 && !reviews.some((version) => REVIEWS.includes(version))) {
    const detail = `must include at least one of ${REVIEWS.join(', ')}`;
    errors.push(invalid(`${at}.conversionReviewVersions`, reviews, detail));
  }
  return errors;
}

/** What was stored in a version can only be read while the version is there. */
function storedErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const at = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalid(at, null, 'must have at least one stored version')];
  const left = new Set(stored);
  const errors: FieldError[] = [];
  for (const { name = '', storage } of spec?.versions ?? []) {
    if (storage === true && !left.has(name)) errors.push(invalid(at, stored, `must have the storage version ${name}`));
    left.delete(name);
  }
  for (const version of left) {
    const migration = `until a storage migration ensures no data remains persisted in ${version}`;
    const detail = `${version} was previously a storage version, and must remain in spec.versions ${migration}`;
    const whole = `missing from spec.versions; ${detail} and removes ${version} from status.storedVersions`;
    errors.push(invalid(`${at}[${stored.lastIndexOf(version)}]`, version, whole));
  }
  return errors;
}

/** Errors of a new definition. */
export function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec = {} } = definition;
  const errors: FieldError[] = [];
  const name = metadata.name ?? '';
  if (name !== '' && name !== `${spec.names?.plural ?? ''}.${spec.group ?? ''}`) {
    errors.push(invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  return [...errors, ...definitionErrors(definition), ...approvalErrors(definition, undefined)];
}

function definitionErrors(definition: CustomResourceDefinition): FieldError[] {
  const { spec = {} } = definition;
  const names = spec.names ?? {};
  const errors: FieldError[] = [];
  errors.push(...groupErrors(spec.group ?? ''));
  if (!spec.scope) errors.push(required('spec.scope'));
  else if (!SCOPES.includes(spec.scope)) errors.push(notSupported('spec.scope', spec.scope, SCOPES));
  if (spec.preserveUnknownFields === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalid('spec.preserveUnknownFields', true, detail));
    if (spec.versions?.some(({ schema }) => mentionsDefault(schema?.openAPIV3Schema))) {
      const why = 'must be false in order to use defaults in the schema';
      errors.push(invalid('spec.preserveUnknownFields', true, why));
    }
    if (spec.conversion?.strategy !== 'None') {
      const why = 'must be None if spec.preserveUnknownFields is true';
      errors.push(invalid('spec.conversion.strategy', spec.conversion?.strategy ?? '', why));
    }
  }
  errors.push(...versionsErrors(spec), ...missingNames(names), ...namesErrors(names, 'spec.names'));
  return [...errors, ...conversionErrors(spec), ...storedErrors(definition)];
}

/** Errors of a changed definition: once it is served, what its objects are called stays. */
export function validateDefinitionUpdate(definition: CustomResourceDefinition, old: CustomResourceDefinition) {
  const errors = [...definitionErrors(definition), ...approvalErrors(definition, old)];
  const isServed = old.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  const { spec = {} } = definition;
  const was = old.spec ?? {};
  if (isServed === true) {
    immutable(spec.scope ?? '', was.scope ?? '', 'spec.scope', errors);
    immutable(spec.names?.kind ?? '', was.names?.kind ?? '', 'spec.names.kind', errors);
  }
  immutable(spec.group ?? '', was.group ?? '', 'spec.group', errors);
  immutable(spec.names?.plural ?? '', was.names?.plural ?? '', 'spec.names.plural', errors);
  return errors;
}

/** Errors of a changed status. */
export const validateDefinitionStatus = ({ status }: CustomResourceDefinition): FieldError[] =>
  namesErrors(status?.acceptedNames ?? {}, 'status.acceptedNames');

function mentionsDefault(schema: JSONSchemaProps | undefined): boolean {
  let found = false;
  if (schema === undefined) return false;
  visitSchemas(schema, (inner) => {
    if (inner.default !== undefined) found = true;
  });
  return found;
}

const APPROVAL = 'api-approved.kubernetes.io';

/** What is wrong with who approved of a definition, if anything; the groups of the community need it. */
function approvalProblem({ metadata }: CustomResourceDefinition): { isMissing: boolean; detail: string } | undefined {
  const said = metadata.annotations?.[APPROVAL] ?? '';
  const must = `protected groups must have approval annotation "${APPROVAL}"`;
  const where = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (said === '') return { isMissing: true, detail: `${must}, ${where}` };
  if (said.startsWith('unapproved') || /^[A-Za-z][\w+.-]*:\/\/[^/\s]/.test(said)) return undefined;
  return { isMissing: false, detail: `${must} with either a URL or a reason starting with "unapproved", ${where}` };
}

function approvalErrors(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): FieldError[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(definition.spec?.group ?? '')) return [];
  const problem = approvalProblem(definition);
  if (problem === undefined) return [];
  if (old !== undefined && approvalProblem(old)?.isMissing === problem.isMissing) return [];
  const at = `metadata.annotations[${APPROVAL}]`;
  if (problem.isMissing) return [required(at, problem.detail)];
  return [invalid(at, definition.metadata.annotations?.[APPROVAL], problem.detail)];
}
