/** The audit policy (`audit.k8s.io/v1`, kind Policy): what is noted down of which requests. */
import { decodeYaml } from '../../apimachinery/codec/index.ts';
import { type FieldError, invalid, notSupported, required, toMessage } from '../../apimachinery/field.ts';
import type { Json } from '../../apimachinery/meta.ts';
import { isDns1123Subdomain } from '../../apimachinery/names.ts';

const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;

export type Level = (typeof LEVELS)[number];
export type Stage = (typeof STAGES)[number];

export interface GroupResources {
  group?: string;
  resources?: string[];
  resourceNames?: string[];
}

export interface PolicyRule {
  level: Level;
  users?: string[];
  userGroups?: string[];
  verbs?: string[];
  resources?: GroupResources[];
  namespaces?: string[];
  nonResourceURLs?: string[];
  omitStages?: Stage[];
  omitManagedFields?: boolean;
}

export interface Policy {
  rules: PolicyRule[];
  omitStages?: Stage[];
  omitManagedFields?: boolean;
}

/** That a policy makes no sense, in a sentence without its end. */
export class PolicyError extends Error {}

/** Whether a level notes down as much as another, or more. */
export const includesLevel = (level: Level, other: Level): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(other);

/** Reads a policy from YAML or JSON. Throws a PolicyError for what upstream refuses, and for fields that there are none of. */
export function parsePolicy(text: string): Policy {
  const { apiVersion, kind, metadata: _, ...object } = read(text);
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy') {
    throw new PolicyError('the audit policy must be of the kind Policy in audit.k8s.io/v1');
  }
  checkFields(object, POLICY, '');
  const policy = object as unknown as Policy;
  // Upstream does not start with it either: it is most likely a mistake.
  if (!policy.rules?.length) throw new PolicyError('the audit policy is illegal with 0 rules');
  const errors = policy.rules.flatMap((rule, index) => ruleErrors(rule, `rules[${index}]`));
  stageErrors(policy.omitStages, 'omitStages', errors);
  if (errors.length > 0) throw new PolicyError(`the audit policy is invalid: ${errors.map(toMessage).join(', ')}`);
  return policy;
}

type Fields = { [key: string]: Json };

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function read(text: string): Fields {
  let value: Json;
  try {
    value = decodeYaml(text);
  } catch (error) {
    throw new PolicyError(`the audit policy cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isFields(value)) return value;
  throw new PolicyError('the audit policy is no object');
}

/** What fields hold: a text, texts, yes or no, or objects with fields. */
interface Form {
  [field: string]: 'text' | 'texts' | 'flag' | Form;
}

const RESOURCES: Form = { group: 'text', resources: 'texts', resourceNames: 'texts' };
const COMMON = { omitStages: 'texts', omitManagedFields: 'flag' } as const;
const POLICY: Form = {
  ...COMMON,
  rules: {
    ...COMMON,
    level: 'text',
    users: 'texts',
    userGroups: 'texts',
    verbs: 'texts',
    resources: RESOURCES,
    namespaces: 'texts',
    nonResourceURLs: 'texts',
  },
};

/** Throws for what is not as it should be: a field that is misspelt would let everything pass. */
function checkFields(object: Fields, form: Form, at: string): void {
  for (const [field, value] of Object.entries(object)) {
    const path = at === '' ? field : `${at}.${field}`;
    const wanted = Object.hasOwn(form, field) ? form[field] : undefined;
    if (wanted === undefined) throw new PolicyError(`the audit policy has an unknown field ${JSON.stringify(path)}`);
    if (value === null) delete object[field];
    else if (typeof wanted === 'object') {
      if (!Array.isArray(value) || !value.every(isFields)) throw mustBe(path, 'a list of objects');
      value.forEach((item, index) => {
        checkFields(item, wanted, `${path}[${index}]`);
      });
    } else if (wanted === 'texts') {
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
        throw mustBe(path, 'a list of texts');
      }
    } else if (wanted === 'text' ? typeof value !== 'string' : typeof value !== 'boolean') {
      throw mustBe(path, wanted === 'text' ? 'a text' : 'true or false');
    }
  }
}

const mustBe = (path: string, what: string): PolicyError =>
  new PolicyError(`${path} of the audit policy must be ${what}`);

function ruleErrors(rule: PolicyRule, at: string): FieldError[] {
  const { level, nonResourceURLs = [], resources = [], namespaces = [], omitStages } = rule;
  const errors: FieldError[] = [];
  if (level === undefined) errors.push(required(`${at}.level`));
  else if (!LEVELS.includes(level)) errors.push(notSupported(`${at}.level`, level, LEVELS));
  nonResourceURLs.forEach((url, index) => {
    const add = (why: string): void => void errors.push(invalid(`${at}.nonResourceURLs[${index}]`, url, why));
    if (url === '*') return;
    if (!url.startsWith('/')) add("non-resource URL rules must begin with a '/' character");
    if (url.slice(0, -1).includes('*')) add("non-resource URL wildcards '*' must be the final character of the rule");
  });
  for (const { group = '', resources: plurals = [], resourceNames = [] } of resources) {
    const problems = group === '' ? [] : isDns1123Subdomain(group);
    if (problems.length > 0) errors.push(invalid(`${at}.resources.group`, group, problems.join(',')));
    if (resourceNames.length > 0 && plurals.length === 0) {
      const why = 'using resourceNames requires at least one resource';
      errors.push(invalid(`${at}.resources.resourceNames`, resourceNames, why));
    }
  }
  stageErrors(omitStages, `${at}.omitStages`, errors);
  if (nonResourceURLs.length > 0 && resources.length + namespaces.length > 0) {
    const why = 'rules cannot apply to both regular resources and non-resource URLs';
    errors.push(invalid(`${at}.nonResourceURLs`, nonResourceURLs, why));
  }
  return errors;
}

function stageErrors(stages: readonly Stage[] = [], at: string, errors: FieldError[]): void {
  stages.forEach((stage, index) => {
    if (STAGES.includes(stage)) return;
    errors.push(invalid(`${at}[${index}]`, stage, `allowed stages are ${STAGES.join(',')}`));
  });
}
