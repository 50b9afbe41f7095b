/** Environment variables, and the field and resource references that volumes use too. */
import { invalid, required as requiredError } from '../../../apimachinery/field.ts';
import { isDns1123Subdomain, maskTrailingDash } from '../../../apimachinery/names.ts';
import type {
  ConfigMapKeySelector,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../../generated/types/core.v1.ts';
import { configMapKey, dns1123Subdomain, envVarName } from '../../validation/formats.ts';
import { each, fields, format, optional, present, type Rule, required, unsupported } from '../../validation/rules.ts';

const PLAIN_PATHS = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.host',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.phase',
  'status.podIP',
  'status.podIPs',
]);
const SUBSCRIPTED = /^metadata\.(?:labels|annotations)\['[^']+'\]$/;

/** Field paths that environment variables can take; labels and annotations one by one besides. */
const ENV_FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** Field paths that downward API volumes can take. */
export const VOLUME_FIELD_PATHS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** A reference to a field of the pod (`validateObjectFieldSelector`). */
export function fieldRef(supported: readonly string[]): Rule<ObjectFieldSelector> {
  return ({ apiVersion = '', fieldPath = '' }, path, errors) => {
    if (apiVersion === '') {
      errors.push(requiredError(`${path}.apiVersion`));
      return;
    }
    const at = `${path}.fieldPath`;
    if (fieldPath === '') {
      errors.push(requiredError(at));
      return;
    }
    const subscripted = SUBSCRIPTED.test(fieldPath);
    if (apiVersion !== 'v1') {
      const detail = `error converting fieldPath: unsupported pod version: ${apiVersion}`;
      errors.push(invalid(at, fieldPath, detail));
    } else if (!subscripted && !PLAIN_PATHS.has(fieldPath)) {
      errors.push(invalid(at, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`));
    } else if (!subscripted && !supported.includes(fieldPath)) {
      errors.push(unsupported(at, fieldPath, supported));
    }
  };
}

const RESOURCES = ['cpu', 'ephemeral-storage', 'memory'];
const CONTAINER_RESOURCES = ['limits', 'requests'].flatMap((half) => RESOURCES.map((name) => `${half}.${name}`));
const SIZES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];
const DIVISORS: Record<string, { values: string[]; text: string }> = {
  cpu: { values: ['1m', '1'], text: "only divisor's values 1m and 1 are supported with the cpu resource" },
  memory: {
    values: SIZES,
    text: `only divisor's values ${SIZES.join(', ')} are supported with the memory resource`,
  },
  'ephemeral-storage': {
    values: SIZES,
    text: `only divisor's values ${SIZES.join(', ')} are supported with the local ephemeral storage resource`,
  },
};

/** A reference to a container's resource (`validateContainerResourceFieldSelector`). */
export function resourceFieldRef(needsContainer: boolean): Rule<ResourceFieldSelector> {
  return ({ containerName = '', resource = '', divisor }, path, errors) => {
    if (needsContainer && containerName === '') errors.push(requiredError(`${path}.containerName`));
    else if (resource === '') errors.push(requiredError(`${path}.resource`));
    else if (!CONTAINER_RESOURCES.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource)) {
      errors.push(unsupported(`${path}.resource`, resource, CONTAINER_RESOURCES));
    }
    const kind = Object.keys(DIVISORS).find((name) => resource.endsWith(`.${name}`));
    const rule = kind === undefined ? undefined : DIVISORS[kind];
    if (rule !== undefined && divisor !== undefined && divisor !== '0' && !rule.values.includes(divisor)) {
      // Upstream shows the resource here, not the divisor.
      errors.push(invalid(`${path}.divisor`, resource, rule.text));
    }
  };
}

const keySelector = fields<ConfigMapKeySelector>({
  name: dns1123Subdomain,
  key: required<string | undefined>(configMapKey),
});

const ENV_SOURCES: (keyof EnvVarSource)[] = [
  'fieldRef',
  'resourceFieldRef',
  'configMapKeyRef',
  'secretKeyRef',
  'fileKeyRef',
];
const sourceRules = fields<EnvVarSource>({
  fieldRef: present(fieldRef(ENV_FIELD_PATHS)),
  resourceFieldRef: present(resourceFieldRef(false)),
  configMapKeyRef: present(keySelector),
  secretKeyRef: present(keySelector),
});

const envVar: Rule<EnvVar> = (variable, path, errors) => {
  required<string | undefined>(envVarName)(variable.name, `${path}.name`, errors);
  const source = variable.valueFrom;
  if (source === undefined) return;
  const at = `${path}.valueFrom`;
  const count = ENV_SOURCES.filter((name) => source[name] !== undefined).length;
  sourceRules(source, at, errors);
  if (count === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalid(at, '', detail));
  } else if (variable.value) {
    errors.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
  }
};

/** `env` of a container (`ValidateEnv`). */
export const env: Rule<readonly EnvVar[] | undefined> = each(envVar);

/** References end where a name could be made longer: a dash may stand there. */
const reference = format((name) => isDns1123Subdomain(maskTrailingDash(name)));
const named = fields<{ name?: string }>({ name: required<string | undefined>(reference) });

/** `envFrom` of a container (`ValidateEnvFrom`); its own errors point at the list. */
export const envFrom: Rule<readonly EnvFromSource[] | undefined> = (sources, path, errors) => {
  sources?.forEach((source, index) => {
    const at = `${path}[${index}]`;
    optional<string>(envVarName)(source.prefix, `${at}.prefix`, errors);
    present(named)(source.configMapRef, `${at}.configMapRef`, errors);
    present(named)(source.secretRef, `${at}.secretRef`, errors);
    const count = Number(source.configMapRef !== undefined) + Number(source.secretRef !== undefined);
    if (count === 0) errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (count > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
  });
};
