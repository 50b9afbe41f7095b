/** The pod network of a node: a bridge with the node's pod CIDR, written down for the runtime's CNI plugins. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Node } from '../../src/generated/types/core.v1.ts';
import { paths } from '../paths.ts';
import type { AgentContext, Running } from '../types.ts';
import { removeIfEmpty, takeOverBridges } from './bridges.ts';
import { contains, firstAddress, isCidr } from './cidr.ts';
import { bridgeName } from './names.ts';
import { run } from './run.ts';

const DEFAULT_CLUSTER_CIDR = '10.244.0.0/16';
const SYSCTLS: Record<string, string> = {
  'net/ipv4/ip_forward': '1',
  // Replies between two pods of one bridge must pass conntrack too, or a Service's address is never put back.
  'net/bridge/bridge-nf-call-iptables': '1',
};

/** The CNI configuration list. Masquerading is ours to do: only for traffic that leaves the cluster. */
export function cniConfig(dataDir: string, podCidr: string, mtu?: number): object {
  const bridge = { type: 'bridge', bridge: bridgeName(dataDir), isGateway: true, ipMasq: false, hairpinMode: true };
  const ipam = {
    type: 'host-local',
    dataDir: paths(dataDir).cniState,
    ranges: [[{ subnet: podCidr }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '1.0.0',
    name: 'zeroplane',
    plugins: [
      { ...bridge, ...(mtu === undefined ? {} : { mtu }), ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Writes the configuration as soon as the node has its pod CIDR, and sets what the kernel needs. */
export function startCni(context: AgentContext): Running {
  for (const [name, value] of Object.entries(SYSCTLS)) setSysctl(context, name, value);
  const clusterCidr = context.cluster.clusterCidr || DEFAULT_CLUSTER_CIDR;
  void forwardIsClosed()
    .then((closed) => (closed ? letPodsThrough(clusterCidr) : undefined))
    .catch((error: unknown) => context.log.warn('the firewall of this machine may stop pods', { error }));
  const stop: Running['stop'] = async ({ keep } = { keep: false }) => {
    // A bridge without pods would only stand in the way of the next one with the same addresses.
    await removeIfEmpty(bridgeName(context.dataDir));
    if (!keep && (await forwardIsClosed())) await letPodsThroughNoMore(clusterCidr);
  };
  if (context.podCidr !== undefined) {
    writeConfig(context, context.podCidr);
    return { stop };
  }
  const selection = { fieldSelector: `metadata.name=${context.nodeName}` };
  const unsubscribe = context.informers.get<Node>('core/nodes', selection).subscribe(({ type, object }) => {
    const podCidr = object.spec?.podCIDR;
    if (type !== 'DELETED' && podCidr) writeConfig(context, podCidr);
  });
  return {
    stop(options) {
      unsubscribe();
      return stop(options);
    },
  };
}

function writeConfig({ dataDir, log, nodeIp, cluster }: AgentContext, podCidr: string): void {
  if (!isCidr(podCidr)) {
    log.error('the pod CIDR of this node is no IPv4 range', { cidr: podCidr });
    return;
  }
  takeOverBridges(bridgeName(dataDir), `${firstAddress(podCidr)}/${podCidr.split('/')[1]}`)
    .then(({ removed, silenced }) => {
      if (removed.length > 0) log.info('empty bridges of other agents removed', { removed });
      if (silenced.length > 0) log.warn('bridges of other agents have no addresses any more', { bridges: silenced });
    })
    .catch((error: unknown) => log.warn('the bridges of this machine could not be looked at', { error }));
  if (cluster.clusterCidr && !contains(cluster.clusterCidr, podCidr)) {
    log.warn('the pod CIDR of this node is not within that of the cluster', { cidr: podCidr, of: cluster.clusterCidr });
  }
  const { cniConf, cniState } = paths(dataDir);
  const file = join(cniConf, '10-zeroplane.conflist');
  const text = `${JSON.stringify(cniConfig(dataDir, podCidr, mtuOf(nodeIp)), null, 2)}\n`;
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch {
    // It is not there yet.
  }
  mkdirSync(cniConf, { recursive: true });
  mkdirSync(cniState, { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
  log.info('pod network', { cidr: podCidr, bridge: bridgeName(dataDir) });
}

/** What fits in a packet of the interface that has the node's address; pods must not send more. Undefined for the usual size. */
function mtuOf(nodeIp: string): number | undefined {
  const [name] = Object.entries(networkInterfaces()).find(([, list]) => list?.some((a) => a.address === nodeIp)) ?? [];
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8'));
    return mtu >= 576 && mtu < 1500 ? mtu : undefined;
  } catch {
    return undefined;
  }
}

/** Docker and others drop whatever is forwarded and not theirs: the cluster's pods are let through. */
async function letPodsThrough(clusterCidr: string): Promise<void> {
  for (const side of ['-s', '-d']) {
    const rule = ['FORWARD', side, clusterCidr, '-j', 'ACCEPT'];
    await run('iptables', ['-w', '-C', ...rule]).catch(() => run('iptables', ['-w', '-I', ...rule]));
  }
}

async function letPodsThroughNoMore(clusterCidr: string): Promise<void> {
  for (const side of ['-s', '-d']) {
    // iptables ends with an error when there was no such rule.
    await run('iptables', ['-w', '-D', 'FORWARD', side, clusterCidr, '-j', 'ACCEPT']).catch(() => {});
  }
}

/** Asked through nft, which makes no tables by being asked. */
async function forwardIsClosed(): Promise<boolean> {
  const listed = await run('nft', ['list', 'chain', 'ip', 'filter', 'FORWARD']).catch(() => '');
  return /policy drop/.test(listed);
}

function setSysctl({ log }: AgentContext, name: string, value: string): void {
  if (!existsSync(`/proc/sys/${name}`)) return;
  try {
    writeFileSync(`/proc/sys/${name}`, value);
  } catch (error) {
    log.warn('a kernel setting could not be made', { name, error });
  }
}
