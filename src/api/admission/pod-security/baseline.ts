/** The checks of the level `baseline`, by upstream's ids. Each answers what is wrong, in upstream's words; nothing where all is well. */
import type { ObjectMeta } from '../../../apimachinery/meta.ts';
import { type Container, containersThat, named, type PodSpec, quoted } from './pod.ts';

export interface Finding {
  reason: string;
  detail: string;
}

export type Check = (spec: PodSpec, metadata: Partial<ObjectMeta>) => Finding | undefined;

const finding = (reason: string, details: readonly string[]): Finding | undefined =>
  details.length === 0 ? undefined : { reason, detail: details.join('; ') };

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
const SELINUX_TYPES = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);
const SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

function appArmorProfile(spec: PodSpec, { annotations = {} }: Partial<ObjectMeta>): Finding | undefined {
  const details: string[] = [];
  const unconfined = (type: string | undefined): boolean => type === 'Unconfined';
  if (unconfined(spec.securityContext?.appArmorProfile?.type)) details.push('pod');
  const names = containersThat(spec, ({ securityContext }) => unconfined(securityContext?.appArmorProfile?.type));
  if (names.length > 0) details.push(named('container', names));
  const forbidden = Object.entries(annotations)
    .filter(
      ([key, value]) =>
        key.startsWith(APPARMOR) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const text = details.map((who) => `${who} must not set AppArmor profile type to "Unconfined"`);
  if (forbidden.length > 0) text.push(`annotation${forbidden.length === 1 ? '' : 's'} ${forbidden.join(', ')}`);
  return finding(text.length === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles', text);
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
    const wrong = used.filter((host) => host !== undefined && host !== '' && host !== '127.0.0.1' && host !== '::1');
    for (const host of wrong) hosts.add(host as string);
    return wrong.length > 0;
  });
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

function seLinuxOptions(spec: PodSpec): Finding | undefined {
  const who: string[] = [];
  const types = new Set<string>();
  let user = false;
  let role = false;
  const look = (options: { type?: string; user?: string; role?: string } | undefined): boolean => {
    if (options === undefined) return false;
    const type = options.type ?? '';
    const wrong = !SELINUX_TYPES.has(type);
    if (wrong) types.add(type);
    if (options.user) user = true;
    if (options.role) role = true;
    return wrong || Boolean(options.user) || Boolean(options.role);
  };
  if (look(spec.securityContext?.seLinuxOptions)) who.push('pod');
  const names = containersThat(spec, ({ securityContext }) => look(securityContext?.seLinuxOptions));
  if (names.length > 0) who.push(named('container', names));
  if (who.length === 0) return undefined;
  const what: string[] = [];
  if (types.size > 0) what.push(`type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`);
  if (user) what.push('user may not be set');
  if (role) what.push('role may not be set');
  const detail = `${who.join(' and ')} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`;
  return { reason: 'seLinuxOptions', detail };
}

function seccompProfile(spec: PodSpec): Finding | undefined {
  const details: string[] = [];
  const wrong = (type: string | undefined): boolean => type === 'Unconfined';
  const never = 'must not set securityContext.seccompProfile.type to "Unconfined"';
  if (wrong(spec.securityContext?.seccompProfile?.type)) details.push(`pod ${never}`);
  const names = containersThat(spec, ({ securityContext }) => wrong(securityContext?.seccompProfile?.type));
  if (names.length > 0) details.push(`${named('container', names)} ${never}`);
  return finding('seccompProfile', details);
}

function sysctls(spec: PodSpec): Finding | undefined {
  const names = (spec.securityContext?.sysctls ?? []).map(({ name = '' }) => name).filter((name) => !SYSCTLS.has(name));
  return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
}

function windowsHostProcess(spec: PodSpec): Finding | undefined {
  const details: string[] = [];
  const never = 'must not set securityContext.windowsOptions.hostProcess=true';
  if (spec.securityContext?.windowsOptions?.hostProcess === true) details.push(`pod ${never}`);
  const names = containersThat(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  if (names.length > 0) details.push(`${named('container', names)} ${never}`);
  return finding('hostProcess', details.reverse());
}

/** In upstream's order. */
export const BASELINE: readonly [id: string, check: Check][] = [
  ['appArmorProfile', appArmorProfile],
  ['capabilities_baseline', capabilities],
  ['hostNamespaces', hostNamespaces],
  ['hostPathVolumes', hostPathVolumes],
  ['hostPorts', hostPorts],
  ['hostProbesAndHostLifecycle', hostProbes],
  ['privileged', privileged],
  ['procMount', procMount],
  ['seLinuxOptions', seLinuxOptions],
  ['seccompProfile_baseline', seccompProfile],
  ['sysctls', sysctls],
  ['windowsHostProcess', windowsHostProcess],
];
