import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { isDns1123Label } from '../../apimachinery/names.ts';
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../generated/types/flowcontrol.v1.ts';
import type { Strategy } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';
import { dns1123Label, dns1123Subdomain } from '../validation/formats.ts';
import { struct, text } from '../validation/go-struct.ts';
import { each, type Rule } from '../validation/rules.ts';

const HIGHEST_PRECEDENCE = 10000;
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const METHODS = ['ByNamespace', 'ByUser'];
const SUBJECT_KINDS = ['Group', 'ServiceAccount', 'User'];

/** Which field of a subject goes with which kind. */
const SUBJECT_FIELDS = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const;
type SubjectKind = keyof typeof SUBJECT_FIELDS;

const shownMethod = struct({ Type: text });

/** A list with `*` has nothing else; returns whether it has one. */
function wildcardStandsAlone(list: readonly string[], path: string, what: string, errors: FieldError[]): boolean {
  if (!list.includes('*')) return false;
  if (list.length > 1) errors.push(invalid(path, list, `if '*' is present, must not specify other ${what}`));
  return true;
}

function serviceAccountErrors({ serviceAccount = {} }: Subject, at: string, errors: FieldError[]): void {
  const { name = '', namespace = '' } = serviceAccount;
  if (name === '') errors.push(required(`${at}.name`));
  else if (name !== '*') dns1123Subdomain(name, `${at}.name`, errors);
  if (namespace === '') errors.push(required(`${at}.namespace`, 'must specify namespace for service account'));
  else dns1123Label(namespace, `${at}.namespace`, errors);
}

const subject: Rule<Subject> = (value, path, errors) => {
  const kind = value.kind ?? '';
  if (!Object.hasOwn(SUBJECT_FIELDS, kind)) {
    errors.push(notSupported(`${path}.kind`, kind, SUBJECT_KINDS));
    return;
  }
  for (const [other, field] of Object.entries(SUBJECT_FIELDS) as [SubjectKind, 'user'][]) {
    const at = `${path}.${field}`;
    if (other !== kind) {
      if (value[field] === undefined) continue;
      errors.push(forbiddenField(at, `${field} is forbidden when subject kind is not '${other}'`));
    } else if (value[field] === undefined) {
      errors.push(required(at, `${field} is required when subject kind is '${kind}'`));
    } else if (kind === 'ServiceAccount') {
      serviceAccountErrors(value, at, errors);
    } else if (!value[field].name) {
      errors.push(required(`${at}.name`));
    }
  }
};

function verbErrors(verbs: readonly string[] = [], at: string, errors: FieldError[]): void {
  if (verbs.length === 0) errors.push(required(at, 'verbs must contain at least one value'));
  else if (!wildcardStandsAlone(verbs, at, 'verbs', errors) && !verbs.every((verb) => VERBS.includes(verb))) {
    errors.push(notSupported(at, verbs, VERBS));
  }
}

function namespaceErrors({ namespaces = [], clusterScope }: ResourcePolicyRule, at: string, errors: FieldError[]) {
  if (namespaces.length === 0 && clusterScope !== true) {
    const detail = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.push(required(at, detail));
  } else if (!wildcardStandsAlone(namespaces, at, 'namespaces', errors)) {
    namespaces.forEach((namespace, index) => {
      for (const problem of isDns1123Label(namespace)) {
        const detail = `each member of this list must be '*' or a DNS-1123 label; ${problem}`;
        errors.push(invalid(`${at}[${index}]`, namespace, detail));
      }
    });
  }
}

const resourceRule: Rule<ResourcePolicyRule> = (rule, path, errors) => {
  const { apiGroups = [], resources = [] } = rule;
  verbErrors(rule.verbs, `${path}.verbs`, errors);
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  } else wildcardStandsAlone(apiGroups, `${path}.apiGroups`, 'api groups', errors);
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  } else wildcardStandsAlone(resources, `${path}.resources`, 'resources', errors);
  namespaceErrors(rule, `${path}.namespaces`, errors);
};

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const wildcards = url.split('*').length - 1;
  return wildcards > 1 || (wildcards === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}

const nonResourceRule: Rule<NonResourcePolicyRule> = ({ verbs, nonResourceURLs: urls = [] }, path, errors) => {
  const at = `${path}.nonResourceURLs`;
  verbErrors(verbs, `${path}.verbs`, errors);
  if (urls.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'));
  else if (!wildcardStandsAlone(urls, at, 'non-resource URLs', errors)) {
    urls.forEach((url, index) => {
      const problem = urlProblem(url);
      if (problem !== undefined) errors.push(invalid(`${at}[${index}]`, url, problem));
    });
  }
};

const rules: Rule<PolicyRulesWithSubjects> = ({ subjects, resourceRules, nonResourceRules }, path, errors) => {
  if (!subjects?.length) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'));
  else each(subject)(subjects, `${path}.subjects`, errors);
  if (!resourceRules?.length && !nonResourceRules?.length) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  each(resourceRule)(resourceRules, `${path}.resourceRules`, errors);
  each(nonResourceRule)(nonResourceRules, `${path}.nonResourceRules`, errors);
};

function precedenceErrors(precedence: number, name: string, errors: FieldError[]): void {
  const add = (detail: string): void => void errors.push(invalid('spec.matchingPrecedence', precedence, detail));
  if (precedence <= 0) add('must be a positive value');
  if (precedence > HIGHEST_PRECEDENCE) add(`must not be greater than ${HIGHEST_PRECEDENCE}`);
  if (precedence === 1 && name !== 'exempt') add("only the schema named 'exempt' may have matchingPrecedence 1");
}

function validate({ metadata, spec = {} }: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  precedenceErrors(spec.matchingPrecedence ?? 0, metadata.name ?? '', errors);
  const method = spec.distinguisherMethod;
  if (method !== undefined && !METHODS.includes(method.type ?? '')) {
    errors.push(notSupported('spec.distinguisherMethod.type', shownMethod(method), METHODS));
  }
  const level = 'spec.priorityLevelConfiguration.name';
  if (spec.priorityLevelConfiguration?.name) dns1123Subdomain(spec.priorityLevelConfiguration.name, level, errors);
  else errors.push(required(level, 'must reference a priority level'));
  each(rules)(spec.rules, 'spec.rules', errors);
  return errors;
}

/** How FlowSchemas are made. */
export const flowSchema: Strategy<FlowSchema> = {
  metadataChecks: [1, 0],
  ...statusIsSeparate<FlowSchema>({}),
  default(schema) {
    schema.spec ??= {} as FlowSchemaSpec;
    schema.spec.matchingPrecedence ||= 1000;
  },
  validate,
};
