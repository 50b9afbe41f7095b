/** kube-proxy: keeps nftables as the cluster's Services and EndpointSlices say, applying differences alone. */
import type { Node, Service } from '../../src/generated/types/core.v1.ts';
import type { EndpointSlice } from '../../src/generated/types/discovery.v1.ts';
import { isCidr } from '../network/cidr.ts';
import { TABLE } from '../network/names.ts';
import { run, runWith } from '../network/run.ts';
import type { AgentContext, Running } from '../types.ts';
import { difference, emptyRuleset, frame } from './nft.ts';
import { type LocalAddress, type Ruleset, rulesFor } from './rules.ts';

/** Changes come in bursts: those of one moment are applied together. */
const GATHER_MS = 20;
const RETRY_MS = 2000;
const DEFAULT_CLUSTER_CIDR = '10.244.0.0/16';

/** Starts the proxy. `local`: Services that this node answers for itself. */
export async function startProxy(context: AgentContext, local: ReadonlyMap<string, LocalAddress>): Promise<Running> {
  const { informers, nodeName, cluster, log } = context;
  const services = informers.get<Service>('core/services');
  const slices = informers.get<EndpointSlice>('discovery.k8s.io/endpointslices');
  const nodes = informers.get<Node>('core/nodes', { fieldSelector: `metadata.name=${nodeName}` });
  await Promise.all([services.synced, slices.synced, nodes.synced]);

  let applied: Ruleset | undefined;
  let framedFor = '';
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();
  let stopped = false;

  const apply = async (): Promise<void> => {
    const given = context.podCidr ?? nodes.get('', nodeName)?.spec?.podCIDR ?? '';
    const podCidr = isCidr(given) ? given : '';
    const fresh = applied === undefined || framedFor !== podCidr;
    const before = fresh ? emptyRuleset() : (applied as Ruleset);
    const wanted = rulesFor({ nodeName, services: services.list(), slices: slices.list(), local, podCidr });
    // One transaction: Services that go on being there are never without their rules.
    const start = fresh ? frame(podCidr, cluster.clusterCidr || DEFAULT_CLUSTER_CIDR) : '';
    const script = start + difference(before, wanted);
    if (script !== '') await runWith('nft', ['-f', '-'], script);
    const known = applied ?? emptyRuleset();
    applied = wanted;
    framedFor = podCidr;
    await forgetConnections(known.udp, wanted.udp);
  };
  const schedule = (ms: number): void => {
    if (stopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      working = working.then(apply).catch((error: unknown) => {
        log.warn('Services could not be written to nftables, trying again from scratch', { error });
        applied = undefined;
        schedule(RETRY_MS);
      });
    }, ms);
  };
  const subscriptions = [services, slices, nodes].map((informer) => informer.subscribe(() => schedule(GATHER_MS)));
  schedule(0);
  return {
    async stop({ keep } = { keep: false }) {
      stopped = true;
      clearTimeout(timer);
      for (const unsubscribe of subscriptions) unsubscribe();
      await working;
      // The next agent replaces the table in one transaction.
      if (!keep) await removeTable().catch(() => {});
    },
  };
}

/** Takes all Services out of the kernel. */
export function removeTable(): Promise<void> {
  return runWith('nft', ['-f', '-'], `table ip ${TABLE} {}\ndelete table ip ${TABLE}\n`);
}

/** UDP has no end of a connection: what was sent to an endpoint that is gone must be sent anew. */
async function forgetConnections(before: ReadonlySet<string>, after: ReadonlySet<string>): Promise<void> {
  for (const flow of before) {
    if (after.has(flow)) continue;
    const [service = '', endpoint = ''] = flow.split(' ');
    // conntrack ends with an error when there was nothing to delete.
    await run('conntrack', ['-D', '-p', 'udp', '--orig-dst', service, '--dst-nat', endpoint]).catch(() => {});
    // NodePorts and other outside addresses.
    await run('conntrack', ['-D', '-p', 'udp', '--dst-nat', endpoint]).catch(() => {});
  }
}
