/** The `/etc/hosts` and the DNS settings of pods. */
import { readFileSync } from 'node:fs';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import type { ClusterInfo } from '../types.ts';

const LOOPBACK = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];
const MAX_HOSTNAME = 63;

/** The pod's host name, and its domain name when it has a subdomain. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; fqdn: string } {
  const hostname = (pod.spec?.hostname || pod.metadata.name).slice(0, MAX_HOSTNAME).replace(/[.-]+$/, '');
  const subdomain = pod.spec?.subdomain;
  if (!subdomain) return { hostname, fqdn: '' };
  return { hostname, fqdn: `${hostname}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` };
}

/** The contents of `/etc/hosts` for a pod with these addresses. */
export function hostsFile(pod: Pod, podIps: readonly string[], clusterDomain: string): string {
  const lines: string[] = [];
  if (pod.spec?.hostNetwork === true) {
    lines.push('# Kubernetes-managed hosts file (host network).', readFileSync('/etc/hosts', 'utf8').trimEnd());
  } else {
    const { hostname, fqdn } = podHostname(pod, clusterDomain);
    const names = fqdn === '' ? hostname : `${fqdn}\t${hostname}`;
    lines.push('# Kubernetes-managed hosts file.', ...LOOPBACK, ...podIps.map((ip) => `${ip}\t${names}`));
  }
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length > 0) lines.push('', '# Entries added by HostAliases.');
  for (const { ip, hostnames } of aliases) lines.push(`${ip}\t${(hostnames ?? []).join('\t')}`);
  return `${lines.join('\n')}\n`;
}

export interface DnsConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

/** What a resolv.conf says. */
export function parseResolvConf(text: string): DnsConfig {
  const result: DnsConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver') result.servers.push(...values.slice(0, 1));
    else if (keyword === 'search') result.searches = values.filter((value) => value !== '.');
    else if (keyword === 'options') result.options.push(...values);
  }
  return result;
}

/** DNS settings by the pod's dnsPolicy and dnsConfig. `host` is the node's own resolv.conf. */
export function dnsConfig(pod: Pod, cluster: ClusterInfo, host: DnsConfig): DnsConfig {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const onHost = pod.spec?.hostNetwork === true && policy === 'ClusterFirst';
  let base: DnsConfig = { servers: [], searches: [], options: [] };
  if (policy === 'Default' || onHost) base = host;
  else if (policy !== 'None') {
    const { domain } = cluster;
    const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
    base = {
      servers: [cluster.dns],
      searches: [...own, ...host.searches.filter((search) => !own.includes(search))],
      options: ['ndots:5'],
    };
  }
  const extra = pod.spec?.dnsConfig;
  if (!extra) return base;
  const options = new Map(base.options.map((option) => [option.split(':')[0] ?? '', option]));
  for (const { name = '', value } of extra.options ?? []) options.set(name, value ? `${name}:${value}` : name);
  return {
    servers: [...new Set([...base.servers, ...(extra.nameservers ?? [])])],
    searches: [...new Set([...base.searches, ...(extra.searches ?? [])])],
    options: [...options.values()],
  };
}
