/** Containers of a pod, of all three kinds. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  required as requiredError,
} from '../../../apimachinery/field.ts';
import { isPortName } from '../../../apimachinery/names.ts';
import type { Container, ContainerPort, Volume, VolumeDevice, VolumeMount } from '../../../generated/types/core.v1.ts';
import { dns1123Label, localDescendingPath, port } from '../../validation/formats.ts';
import {
  each,
  fields,
  oneOf,
  optional,
  present,
  type Rule,
  range,
  required,
  unsupported,
} from '../../validation/rules.ts';
import { env, envFrom } from './env.ts';
import { lifecycle, onceProbe, readinessProbe } from './probes.ts';
import { resourceRequirements } from './resources.ts';
import { securityContext } from './security-context.ts';

/** What checking one container needs to know of its pod. */
export interface PodContext {
  volumes: ReadonlyMap<string, Volume>;
  /** Host ports that were seen, as `protocol/hostIP/port`. */
  hostPorts: Set<string>;
  hostNetwork: boolean;
}

const portFields = fields<ContainerPort>({
  containerPort: (value, path, errors) => (value ? port(value, path, errors) : void errors.push(requiredError(path))),
  hostPort: (value, path, errors) => void (value && port(value, path, errors)),
  protocol: required<string | undefined>(oneOf('SCTP', 'TCP', 'UDP')),
});

function duplicated(path: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field: path, body: `Duplicate value: ${JSON.stringify(value)}` };
}

function ports(list: readonly ContainerPort[] | undefined, path: string, pod: PodContext, errors: FieldError[]): void {
  const names = new Set<string>();
  list?.forEach((value, index) => {
    const at = `${path}[${index}]`;
    if (value.name) {
      const problems = isPortName(value.name);
      for (const problem of problems) errors.push(invalid(`${at}.name`, value.name, problem));
      if (problems.length === 0 && names.has(value.name)) errors.push(duplicated(`${at}.name`, value.name));
      names.add(value.name);
    }
    portFields(value, at, errors);
    if (value.hostPort) {
      const key = `${value.protocol ?? ''}/${value.hostIP ?? ''}/${value.hostPort}`;
      if (pod.hostPorts.has(key)) errors.push(duplicated(`${at}.hostPort`, key));
      pod.hostPorts.add(key);
      // What a template leaves open is filled in when a pod is made of it.
      if (pod.hostNetwork && value.hostPort !== value.containerPort) {
        const detail = 'must match `hostPort` when `hostNetwork` is true';
        errors.push(invalid(`${at}.containerPort`, value.containerPort ?? 0, detail));
      }
    }
  });
}

const PROPAGATION = ['Bidirectional', 'HostToContainer', 'None'];

function mounts(container: Container, path: string, pod: PodContext, errors: FieldError[]): void {
  const list: readonly VolumeMount[] = container.volumeMounts ?? [];
  const devices: readonly VolumeDevice[] = container.volumeDevices ?? [];
  const taken = new Set<string>();
  list.forEach((mount, index) => {
    const at = `${path}[${index}]`;
    const { name = '', mountPath = '' } = mount;
    if (name === '') errors.push(requiredError(`${at}.name`));
    if (!pod.volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(requiredError(`${at}.mountPath`));
    if (taken.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    taken.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    if (mount.subPath && mount.subPathExpr) {
      const detail = 'subPathExpr and subPath are mutually exclusive';
      errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, detail));
    }
    // These are reported at the list, not at the item, as upstream does.
    optional<string>(localDescendingPath)(mount.subPath, `${path}.subPath`, errors);
    optional<string>(localDescendingPath)(mount.subPathExpr, `${path}.subPathExpr`, errors);
    const propagation = mount.mountPropagation;
    if (propagation !== undefined) {
      if (!PROPAGATION.includes(propagation)) {
        errors.push(unsupported(`${path}.mountPropagation`, propagation, PROPAGATION));
      }
      if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
        const detail = 'Bidirectional mount propagation is available only to privileged containers';
        errors.push(forbiddenField(`${path}.mountPropagation`, detail));
      }
    }
  });
}

const notFound = (path: string, value: string): FieldError => ({
  type: 'FieldValueNotFound',
  field: path,
  body: `Not found: ${JSON.stringify(value)}`,
});

function devices(container: Container, path: string, pod: PodContext, errors: FieldError[]): void {
  const taken = new Set<string>();
  const names = new Set<string>();
  container.volumeDevices?.forEach((device, index) => {
    const at = `${path}[${index}]`;
    const { name = '', devicePath = '' } = device;
    if (name === '') errors.push(requiredError(`${at}.name`));
    if (devicePath === '') errors.push(requiredError(`${at}.devicePath`));
    if (taken.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (devicePath.split('/').includes('..')) {
      errors.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else taken.add(devicePath);
    if (names.has(name)) errors.push(invalid(`${at}.name`, name, 'must be unique'));
    if (name !== '') names.add(name);
    const volume = pod.volumes.get(name);
    if (volume === undefined) errors.push(notFound(`${at}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalid(`${at}.name`, name, detail));
    }
    if (container.volumeMounts?.some((mount) => mount.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
  });
}

const image: Rule<string | undefined> = required<string | undefined>((value, path, errors) => {
  if (value.trim() !== value) errors.push(invalid(path, value, 'must not have leading or trailing whitespace'));
});

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

const common = fields<Container>({
  name: required<string | undefined>(dns1123Label),
  image,
  terminationMessagePolicy: required<string | undefined>(oneOf('File', 'FallbackToLogsOnError')),
  imagePullPolicy: required<string | undefined>(oneOf(...PULL_POLICIES)),
  env,
  envFrom,
  resources: resourceRequirements,
  securityContext,
  restartPolicy: present(oneOf('Always', 'Never', 'OnFailure')),
});

const restartRules: Rule<Container> = (container, path, errors) => {
  const rules = container.restartPolicyRules;
  if (rules === undefined || rules.length === 0) return;
  if (container.restartPolicy === undefined) {
    errors.push(requiredError(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  }
  each(
    fields<NonNullable<typeof rules>[number]>({
      action: required<string | undefined>(oneOf('Restart', 'RestartAllContainers')),
    }),
  )(rules, `${path}.restartPolicyRules`, errors);
};

const RESIZABLE = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];

/** Upstream's errors point at the list. */
function resizePolicies({ resizePolicy: list = [] }: Container, path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  const oneOfThem = (value: string, known: string[]): void => {
    if (value === '') errors.push(requiredError(path));
    else if (!known.includes(value)) errors.push(unsupported(path, value, known));
  };
  list.forEach(({ resourceName = '', restartPolicy = '' }, index) => {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${index}]`, resourceName));
    seen.add(resourceName);
    oneOfThem(resourceName, RESIZABLE);
    oneOfThem(restartPolicy, RESIZE_POLICIES);
  });
}

/** What every container must satisfy (`validateContainerCommon`). */
function validateContainer(container: Container, path: string, pod: PodContext, errors: FieldError[]): void {
  common(container, path, errors);
  resizePolicies(container, `${path}.resizePolicy`, errors);
  restartRules(container, path, errors);
  ports(container.ports, `${path}.ports`, pod, errors);
  mounts(container, `${path}.volumeMounts`, pod, errors);
  devices(container, `${path}.volumeDevices`, pod, errors);
}

const probes = fields<Container>({
  lifecycle,
  livenessProbe: onceProbe,
  readinessProbe,
  startupProbe: onceProbe,
});

/** `containers`: at least one. */
export function validateContainers(
  containers: readonly Container[] | undefined,
  path: string,
  pod: PodContext,
  names: Set<string>,
  errors: FieldError[],
): void {
  if (!containers?.length) {
    errors.push(requiredError(path));
    return;
  }
  containers.forEach((container, index) => {
    const at = `${path}[${index}]`;
    validateContainer(container, at, pod, errors);
    uniqueName(container, at, names, errors);
    probes(container, at, errors);
  });
}

/** `initContainers`: those that restart are sidecars and may have probes. */
export function validateInitContainers(
  containers: readonly Container[] | undefined,
  path: string,
  pod: PodContext,
  names: Set<string>,
  errors: FieldError[],
): void {
  containers?.forEach((container, index) => {
    const at = `${path}[${index}]`;
    // Init containers run one after another, so they may share host ports.
    const sidecar = container.restartPolicy === 'Always';
    validateContainer(container, at, sidecar ? pod : { ...pod, hostPorts: new Set() }, errors);
    uniqueName(container, at, names, errors);
    if (sidecar) {
      probes(container, at, errors);
      return;
    }
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field] === undefined) continue;
      errors.push(forbiddenField(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
    }
  });
}

function uniqueName(container: Container, path: string, names: Set<string>, errors: FieldError[]): void {
  const name = container.name ?? '';
  if (name === '') return;
  if (names.has(name)) errors.push(duplicated(`${path}.name`, name));
  names.add(name);
}

const NOT_EPHEMERAL = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe', 'ports'] as const;

/** `ephemeralContainers`: without ports, probes, resources and lifecycle; their target must exist. */
export function validateEphemeralContainers(
  containers: readonly (Container & { targetContainerName?: string })[] | undefined,
  path: string,
  pod: PodContext,
  names: Set<string>,
  errors: FieldError[],
): void {
  const targets = new Set(names);
  containers?.forEach((container, index) => {
    const at = `${path}[${index}]`;
    validateContainer({ ...container, ports: undefined }, at, pod, errors);
    uniqueName(container, at, names, errors);
    const target = container.targetContainerName;
    if (target && !targets.has(target)) errors.push(notFound(`${at}.targetContainerName`, target));
    for (const field of NOT_EPHEMERAL) {
      if (container[field] !== undefined) {
        errors.push(forbiddenField(`${at}.${field}`, 'cannot be set for an Ephemeral Container'));
      }
    }
    if (Object.keys(container.resources ?? {}).length > 0) {
      errors.push(forbiddenField(`${at}.resources`, 'cannot be set for an Ephemeral Container'));
    }
    container.volumeMounts?.forEach((mount, mountIndex) => {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (mount[field]) {
          errors.push(
            forbiddenField(`${at}.volumeMounts[${mountIndex}].${field}`, 'cannot be set for an Ephemeral Container'),
          );
        }
      }
    });
  });
}

/** Seconds of a pod's life: a positive 32-bit number. */
export const activeDeadline = present<number>(range(1, 2147483647));
