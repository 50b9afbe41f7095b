/** The checks of the level `baseline`, by upstream's ids. Each answers what is wrong, in upstream's words; nothing where all is well. */
import type { ObjectMeta } from '../../../apimachinery/meta.ts';
import { type Container, containersOf, containersThat, named, type PodSpec, quoted, setters } from './pod.ts';

export interface Finding {
  reason: string;
  detail: string;
}

export type Check = (spec: PodSpec, metadata: Partial<ObjectMeta>) => Finding | undefined;

/** A check as it is since a minor version of the policy. */
export type Versions = readonly [since: number, check: Check][];

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t'];
const SYSCTLS: readonly [since: number, names: readonly string[]][] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.ip_unprivileged_port_start',
      'net.ipv4.ping_group_range',
      'net.ipv4.tcp_syncookies',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [
    29,
    [
      'net.ipv4.tcp_fin_timeout',
      'net.ipv4.tcp_keepalive_intvl',
      'net.ipv4.tcp_keepalive_probes',
      'net.ipv4.tcp_keepalive_time',
    ],
  ],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
];

function appArmorProfile(spec: PodSpec, { annotations = {} }: Partial<ObjectMeta>): Finding | undefined {
  const who = setters(spec, ({ appArmorProfile: profile }) => profile?.type === 'Unconfined');
  const forbidden = Object.entries(annotations)
    .filter(
      ([key, value]) =>
        key.startsWith(APPARMOR) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const what = [...(who.length > 0 ? ['Unconfined'] : []), ...forbidden];
  if (forbidden.length > 0) who.push(`annotation${forbidden.length === 1 ? '' : 's'}`);
  if (who.length === 0) return undefined;
  return {
    reason: `forbidden AppArmor profile${what.length === 1 ? '' : 's'}`,
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(what)}`,
  };
}

function capabilities(spec: PodSpec): Finding | undefined {
  const bad = new Set<string>();
  const names = containersThat(spec, ({ securityContext }) => {
    const wrong = (securityContext?.capabilities?.add ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name));
    for (const name of wrong) bad.add(name);
    return wrong.length > 0;
  });
  if (names.length === 0) return undefined;
  const detail = `${named('container', names)} must not include ${quoted([...bad].sort())} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
}

function hostNamespaces({ hostNetwork, hostPID, hostIPC }: PodSpec): Finding | undefined {
  const set = [hostNetwork && 'hostNetwork=true', hostPID && 'hostPID=true', hostIPC && 'hostIPC=true'];
  const used = set.filter((text) => typeof text === 'string');
  return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.join(', ') };
}

function hostPathVolumes(spec: PodSpec): Finding | undefined {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined).map(({ name }) => name ?? '');
  return names.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', names) };
}

function hostPorts(spec: PodSpec): Finding | undefined {
  const ports = new Set<string>();
  const names = containersThat(spec, (container) => {
    const used = (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
    for (const port of used) ports.add(port);
    return used.length > 0;
  });
  if (names.length === 0) return undefined;
  const sorted = [...ports].sort((a, b) => Number(a) - Number(b));
  const many = sorted.length === 1 ? 'hostPort' : 'hostPorts';
  return {
    reason: 'hostPort',
    detail: `${named('container', names)} ${names.length === 1 ? 'uses' : 'use'} ${many} ${sorted.join(', ')}`,
  };
}

function hostProbes(spec: PodSpec): Finding | undefined {
  const hosts = new Set<string>();
  const names = containersThat(spec, (container) => {
    const used = handlersOf(container).flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host]);
    const wrong = used.filter((host) => host !== undefined && host !== '');
    for (const host of wrong) hosts.add(host as string);
    return wrong.length > 0;
  }).sort();
  if (names.length === 0) return undefined;
  const what = `host${hosts.size === 1 ? '' : 's'} ${quoted([...hosts].sort())}`;
  return {
    reason: 'probe or lifecycle host',
    detail: `${named('container', names)} ${names.length === 1 ? 'uses' : 'use'} probe or lifecycle ${what}`,
  };
}

interface Handler {
  httpGet?: { host?: string };
  tcpSocket?: { host?: string };
}

const handlersOf = (container: Container): (Handler | undefined)[] => [
  container.livenessProbe,
  container.readinessProbe,
  container.startupProbe,
  container.lifecycle?.postStart,
  container.lifecycle?.preStop,
];

function privileged(spec: PodSpec): Finding | undefined {
  const names = containersThat(spec, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${named('container', names)} must not set securityContext.privileged=true` };
}

/** Of the `restricted` level too, where a user namespace excuses nothing. */
export function unmasked(spec: PodSpec): Finding | undefined {
  const types = new Set<string>();
  const names = containersThat(spec, ({ securityContext }) => {
    const type = securityContext?.procMount;
    if (type === undefined || type === 'Default') return false;
    types.add(type);
    return true;
  });
  if (names.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${named('container', names)} must not set securityContext.procMount to ${quoted([...types].sort())}`,
  };
}

const procMount: Check = (spec) => (spec.hostUsers === false ? undefined : unmasked(spec));

const seLinuxOptions =
  (allowed: readonly string[]): Check =>
  (spec) => {
    const types = new Set<string>();
    let user = false;
    let role = false;
    const who = setters(spec, ({ seLinuxOptions: options }) => {
      if (options === undefined) return false;
      const type = options.type ?? '';
      const wrong = !allowed.includes(type);
      if (wrong) types.add(type);
      if (options.user) user = true;
      if (options.role) role = true;
      return wrong || Boolean(options.user) || Boolean(options.role);
    });
    if (who.length === 0) return undefined;
    const what: string[] = [];
    if (types.size > 0) what.push(`type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`);
    if (user) what.push('user may not be set');
    if (role) what.push('role may not be set');
    const detail = `${who.join(' and ')} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`;
    return { reason: 'seLinuxOptions', detail };
  };

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

/** Before there was a field for it. */
function seccompAnnotations(spec: PodSpec, { annotations = {} }: Partial<ObjectMeta>): Finding | undefined {
  const keys = [SECCOMP_POD, ...containersOf(spec).map(({ name }) => SECCOMP_CONTAINER + name)];
  const forbidden = new Set<string>();
  for (const key of keys) {
    const value = annotations[key] ?? 'runtime/default';
    const allowed = value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');
    if (!allowed) forbidden.add(`${key}=${JSON.stringify(value)}`);
  }
  if (forbidden.size === 0) return undefined;
  const what = `annotation${forbidden.size === 1 ? '' : 's'}`;
  return { reason: 'seccompProfile', detail: `forbidden ${what} ${[...forbidden].sort().join(', ')}` };
}

/** Of the `restricted` level too. */
export function unconfined(spec: PodSpec): Finding | undefined {
  const who = setters(spec, ({ seccompProfile }) => seccompProfile?.type === 'Unconfined');
  const never = 'must not set securityContext.seccompProfile.type to "Unconfined"';
  return who.length === 0 ? undefined : { reason: 'seccompProfile', detail: `${who.join(' and ')} ${never}` };
}

const sysctls =
  (version: number): Check =>
  (spec) => {
    const allowed = SYSCTLS.flatMap(([since, names]) => (since <= version ? names : []));
    const used = (spec.securityContext?.sysctls ?? []).map(({ name = '' }) => name);
    const names = used.filter((name) => !allowed.includes(name));
    return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
  };

function windowsHostProcess(spec: PodSpec): Finding | undefined {
  const who = setters(spec, ({ windowsOptions }) => windowsOptions?.hostProcess === true);
  const never = 'must not set securityContext.windowsOptions.hostProcess=true';
  return who.length === 0 ? undefined : { reason: 'hostProcess', detail: `${who.join(' and ')} ${never}` };
}

/** In upstream's order. */
export const BASELINE: readonly [id: string, versions: Versions][] = [
  ['appArmorProfile', [[0, appArmorProfile]]],
  ['capabilities_baseline', [[0, capabilities]]],
  ['hostNamespaces', [[0, hostNamespaces]]],
  ['hostPathVolumes', [[0, hostPathVolumes]]],
  ['hostPorts', [[0, hostPorts]]],
  ['hostProbesAndHostLifecycle', [[34, hostProbes]]],
  ['privileged', [[0, privileged]]],
  [
    'procMount',
    [
      [0, unmasked],
      [35, procMount],
    ],
  ],
  [
    'seLinuxOptions',
    [
      [0, seLinuxOptions(SELINUX_TYPES)],
      [31, seLinuxOptions([...SELINUX_TYPES, 'container_engine_t'])],
    ],
  ],
  [
    'seccompProfile_baseline',
    [
      [0, seccompAnnotations],
      [19, unconfined],
    ],
  ],
  ['sysctls', SYSCTLS.map(([since]) => [since, sysctls(since)])],
  ['windowsHostProcess', [[0, windowsHostProcess]]],
];
