/** What a pod can be told on its operating system, and of the host's namespaces and processes. */
import {
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required as requiredError,
} from '../../../apimachinery/field.ts';
import type { PodSpec } from '../../../generated/types/core.v1.ts';
import type { Rule } from '../../validation/rules.ts';
import { allContainers } from './visit.ts';

const NOT_ON_WINDOWS = 'cannot be set for a windows pod';
const NOT_ON_LINUX = 'windows options cannot be set for a linux pod';

/** Fields of a pod's spec and of its security contexts that Windows has nothing for. */
const LINUX_SPEC = ['hostUsers', 'shareProcessNamespace'] as const;
const LINUX_HOST = ['hostPID', 'hostIPC'] as const;
const LINUX_POD = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const LINUX_CONTAINER = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** Fields that are not for the pod's system, or not together with the host's namespaces (`ValidatePodSpec`). */
export const operatingSystem: Rule<PodSpec> = (spec, path, errors) => {
  hostProcesses(spec, path, errors);
  unmasked(spec, path, errors);
  hostSysctls(spec, `${path}.securityContext.sysctls`, errors);
  const { os } = spec;
  if (os === undefined) return;
  if (!os.name) errors.push(requiredError(`${path}.os.name`));
  else if (os.name === 'windows') windows(spec, path, errors);
  else if (os.name === 'linux') linux(spec, path, errors);
  else errors.push(notSupported(`${path}.os`, os.name, ['linux', 'windows']));
};

function windows(spec: PodSpec, path: string, errors: FieldError[]): void {
  const refuse = (field: string): void => void errors.push(forbiddenField(field, NOT_ON_WINDOWS));
  for (const field of LINUX_SPEC) if (spec[field] !== undefined) refuse(`${path}.${field}`);
  for (const field of LINUX_HOST) if (spec[field] === true) refuse(`${path}.${field}`);
  for (const field of LINUX_POD) {
    if (spec.securityContext?.[field] !== undefined) refuse(`${path}.securityContext.${field}`);
  }
  if (spec.securityContext?.sysctls?.length) refuse(`${path}.securityContext.sysctls`);
  for (const { container, path: at } of allContainers(spec, path)) {
    for (const field of LINUX_CONTAINER) {
      if (container.securityContext?.[field] !== undefined) refuse(`${at}.securityContext.${field}`);
    }
  }
}

function linux(spec: PodSpec, path: string, errors: FieldError[]): void {
  const all = [{ path, securityContext: spec.securityContext }];
  for (const { container, path: at } of allContainers(spec, path)) {
    all.push({ path: at, securityContext: container.securityContext });
  }
  for (const { path: at, securityContext } of all) {
    if (securityContext?.windowsOptions === undefined) continue;
    errors.push(forbiddenField(`${at}.securityContext.windowsOptions`, NOT_ON_LINUX));
  }
}

/** Processes of the host, on Windows: all containers or none, and in the host's network (`validateWindowsHostProcessPod`). */
function hostProcesses(spec: PodSpec, path: string, errors: FieldError[]): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = allContainers(spec, path);
  let count = 0;
  for (const { container, path: at } of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, why));
    }
    if (own ?? ofPod) count += 1;
  }
  if (count === 0) return;
  if (count !== containers.length) {
    const why = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalid(path, '', why));
  }
  if (spec.hostNetwork !== true) {
    const why = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(invalid(`${path}.hostNetwork`, false, why));
  }
}

function unmasked(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.hostUsers === false) return;
  for (const { container, path: at } of allContainers(spec, path)) {
    if (container.securityContext?.procMount !== 'Unmasked') continue;
    const why = '`hostUsers` must be false to use `Unmasked`';
    errors.push(invalid(`${at}.securityContext.procMount`, 'Unmasked', why));
  }
}

const OF_IPC = /^(?:kernel\.sem$|kernel\.shm|kernel\.msg|fs\.mqueue\.)/;
const OF_NET = /^net\./;

/** What is the host's own is not a pod's to set (`ValidateHostSysctl`). */
function hostSysctls({ securityContext, hostNetwork, hostIPC }: PodSpec, path: string, errors: FieldError[]): void {
  securityContext?.sysctls?.forEach(({ name = '' }, index) => {
    const normal = name.replaceAll('/', '.');
    const at = `${path}[${index}].name`;
    if (hostNetwork && OF_NET.test(normal)) {
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    } else if (hostIPC && OF_IPC.test(normal)) {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
  });
}
