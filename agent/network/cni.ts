/** The pod network of a node: a bridge with the node's pod CIDR, written down for the runtime's CNI plugins. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from '../../src/generated/types/core.v1.ts';
import { paths } from '../paths.ts';
import type { AgentContext, Running } from '../types.ts';
import { bridgeName } from './names.ts';

const SYSCTLS: Record<string, string> = {
  'net/ipv4/ip_forward': '1',
  // Replies between two pods of one bridge must pass conntrack too, or a Service's address is never put back.
  'net/bridge/bridge-nf-call-iptables': '1',
};

/** The CNI configuration list. Masquerading is ours to do: only for traffic that leaves the cluster. */
export function cniConfig(dataDir: string, podCidr: string): object {
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
      { type: 'bridge', bridge: bridgeName(dataDir), isGateway: true, ipMasq: false, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Writes the configuration as soon as the node has its pod CIDR, and sets what the kernel needs. */
export function startCni(context: AgentContext): Running {
  for (const [name, value] of Object.entries(SYSCTLS)) setSysctl(context, name, value);
  if (context.podCidr !== undefined) {
    writeConfig(context, context.podCidr);
    return { stop: () => Promise.resolve() };
  }
  const selection = { fieldSelector: `metadata.name=${context.nodeName}` };
  const unsubscribe = context.informers.get<Node>('core/nodes', selection).subscribe(({ type, object }) => {
    const podCidr = object.spec?.podCIDR;
    if (type !== 'DELETED' && podCidr) writeConfig(context, podCidr);
  });
  return {
    stop() {
      unsubscribe();
      return Promise.resolve();
    },
  };
}

function writeConfig({ dataDir, log }: AgentContext, podCidr: string): void {
  const { cniConf, cniState } = paths(dataDir);
  const file = join(cniConf, '10-zeroplane.conflist');
  const text = `${JSON.stringify(cniConfig(dataDir, podCidr), null, 2)}\n`;
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

function setSysctl({ log }: AgentContext, name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
  } catch (error) {
    log.warn('a kernel setting could not be made', { name, error });
  }
}
