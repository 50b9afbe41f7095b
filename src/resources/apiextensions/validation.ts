/** What a CustomResourceDefinition may say (`ValidateCustomResourceDefinition`). */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { isDns1035Label, isDns1123Subdomain } from '../../apimachinery/names.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from '../../generated/types/apiextensions.v1.ts';
import { immutable } from '../validation/rules.ts';
import { webhookServiceErrors, webhookUrlErrors } from '../validation/webhooks.ts';
import { columnErrors, scaleErrors, selectableErrors } from './columns.ts';
import { ruleErrors } from './rules.ts';
import { schemaErrors } from './schema.ts';
import { shownVersions, type VersionView, versionViews } from './versions.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const STRATEGIES = ['None', 'Webhook'];

function groupErrors(group: string): FieldError[] {
  if (group === '') return [required('spec.group')];
  const problems = isDns1123Subdomain(group);
  if (problems.length === 0 && !group.includes('.')) problems.push('should be a domain with at least one dot');
  return problems.map((problem) => invalid('spec.group', group, problem));
}

/** Errors of names that are there. */
function namesErrors(names: CustomResourceDefinitionNames, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (value: string, path: string, mixed: boolean): void => {
    for (const problem of isDns1035Label(mixed ? value.toLowerCase() : value)) {
      const detail = mixed ? `may have mixed case, but should otherwise match: ${problem}` : problem;
      errors.push(invalid(path, value, detail));
    }
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

function viewErrors(view: VersionView, schema: VersionView['schema'], errors: FieldError[]): void {
  const path = `${view.schemaPath}.openAPIV3Schema`;
  if (view.schema !== undefined) {
    const type = view.schema.type ?? '';
    if (view.subresources?.status !== undefined && type !== '' && type !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      errors.push(invalid(`${path}.type`, type, detail));
    }
    const found: FieldError[] = [];
    schemaErrors(view.schema, 'root', path, found);
    // Rules are written for schemas that make sense: of any other they would only say so again.
    if (found.length === 0) ruleErrors(view.schema, path, found);
    errors.push(...found);
  }
  if (view.subresources?.scale !== undefined) {
    scaleErrors(view.subresources.scale, `${view.subresourcesPath}.scale`, errors);
  }
  columnErrors(view.columns ?? [], view.columnsPath, errors);
  selectableErrors(view.selectableFields ?? [], schema, view.selectablePath, errors);
}

function versionsErrors({ versions }: CustomResourceDefinitionSpec): FieldError[] {
  const errors: FieldError[] = [];
  const list = versions ?? [];
  list.forEach(({ name = '', schema }, index) => {
    const at = `spec.versions[${index}]`;
    if (schema?.openAPIV3Schema === undefined) errors.push(required(`${at}.schema.openAPIV3Schema`));
    for (const problem of isDns1035Label(name)) errors.push(invalid(`${at}.name`, name, problem));
  });
  // The first version is also what the only one was called before there were several.
  const first = list[0]?.name ?? '';
  for (const problem of first === '' ? [] : isDns1035Label(first)) errors.push(invalid('spec.version', first, problem));
  const add = (detail: string): void => void errors.push(invalid('spec.versions', shownVersions(versions), detail));
  if (new Set(list.map(({ name }) => name)).size < list.length) add('must contain unique version names');
  if (list.filter(({ storage }) => storage === true).length !== 1) {
    add('must have exactly one version marked as storage version');
  }
  versionViews(list).forEach((view, index) => {
    viewErrors(view, list[index]?.schema?.openAPIV3Schema, errors);
  });
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
    for (const problem of isDns1035Label(version)) errors.push(invalid(field, version, problem));
  });
  return errors;
}

/** What was stored in a version can only be read while the version is there. */
function storedErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const at = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalid(at, null, 'must have at least one stored version')];
  const known = new Set(spec?.versions?.map(({ name = '' }) => name));
  return stored.flatMap((version, index) => {
    if (known.has(version)) return [];
    const migration = `until a storage migration ensures no data remains persisted in ${version}`;
    const detail = `${version} was previously a storage version, and must remain in spec.versions ${migration}`;
    return [
      invalid(
        `${at}[${index}]`,
        version,
        `missing from spec.versions; ${detail} and removes ${version} from status.storedVersions`,
      ),
    ];
  });
}

/** Errors of a definition. */
export function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec = {} } = definition;
  const names = spec.names ?? {};
  const errors: FieldError[] = [];
  const name = metadata.name ?? '';
  if (name !== '' && name !== `${names.plural ?? ''}.${spec.group ?? ''}`) {
    errors.push(invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  errors.push(...groupErrors(spec.group ?? ''));
  if (!spec.scope) errors.push(required('spec.scope'));
  else if (!SCOPES.includes(spec.scope)) errors.push(notSupported('spec.scope', spec.scope, SCOPES));
  if (spec.preserveUnknownFields === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalid('spec.preserveUnknownFields', true, detail));
  }
  errors.push(...versionsErrors(spec), ...missingNames(names), ...namesErrors(names, 'spec.names'));
  return [...errors, ...conversionErrors(spec), ...storedErrors(definition)];
}

/** Errors of a changed definition: once it is served, what its objects are called stays. */
export function validateDefinitionUpdate(definition: CustomResourceDefinition, old: CustomResourceDefinition) {
  const errors = validateDefinition(definition);
  const isServed = old.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  if (isServed !== true) return errors;
  const { spec = {} } = definition;
  const was = old.spec ?? {};
  immutable(spec.group ?? '', was.group ?? '', 'spec.group', errors);
  immutable(spec.scope ?? '', was.scope ?? '', 'spec.scope', errors);
  immutable(spec.names?.kind ?? '', was.names?.kind ?? '', 'spec.names.kind', errors);
  immutable(spec.names?.plural ?? '', was.names?.plural ?? '', 'spec.names.plural', errors);
  return errors;
}
