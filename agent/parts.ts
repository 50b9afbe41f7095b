/** The parts of the agent beside the kubelet, in the order in which they start. */
import { startDns } from './dns/server.ts';
import { StatsCollector } from './kubelet/stats.ts';
import { startApiProxy } from './network/api-proxy.ts';
import { followAuthorities } from './network/authorities.ts';
import { startCni } from './network/cni.ts';
import { startRoutes } from './network/routes.ts';
import { removeTable, startProxy } from './proxy/index.ts';
import type { LocalAddress } from './proxy/rules.ts';
import { execHandler } from './streaming/exec.ts';
import { logHandler } from './streaming/logs.ts';
import { portForwardHandler } from './streaming/portforward.ts';
import { proxyHandler } from './streaming/proxy.ts';
import { serviceHandler } from './streaming/service.ts';
import { startTunnel } from './tunnel/session.ts';
import type { AgentContext, KubeletHandle, Running } from './types.ts';

/** Starts one part; it may go on starting in the background, and must not fail for what time heals. */
export type StartPart = (context: AgentContext, kubelet: KubeletHandle) => Promise<Running> | Running;

/** Services that every node answers for itself: the API and the cluster's DNS. */
async function services(context: AgentContext): Promise<Running> {
  const [api, dns] = await Promise.all([startApiProxy(context), startDns(context)]);
  const local = new Map<string, LocalAddress>([['kube-system/kube-dns', dns]]);
  if (api !== undefined) local.set('default/kubernetes', api);
  // The informers wait for a server that may not be there yet; nobody waits for them, neither now nor at the end.
  let ended: { keep: boolean } | undefined;
  let running: Running | undefined;
  void startProxy(context, local).then((proxy) => {
    running = proxy;
    if (ended !== undefined) void proxy.stop(ended);
  });
  return {
    async stop(options = { keep: false }) {
      ended = options;
      if (running !== undefined) await running.stop(options);
      // It has never begun, but an earlier agent's table may be there.
      else if (!options.keep) await removeTable().catch(() => {});
      await Promise.all([api?.stop(), dns.stop()]);
    },
  };
}

function tunnel({ client, nodeName, log, cri }: AgentContext, kubelet: KubeletHandle): Running {
  const stats = new StatsCollector(cri, nodeName, log);
  const sampling = stats.start();
  const findContainer: KubeletHandle['findContainer'] = (...args) => kubelet.findContainer(...args);
  const findSandbox: KubeletHandle['findSandbox'] = (...args) => kubelet.findSandbox(...args);
  const exec = execHandler({ cri, findContainer });
  const session = startTunnel({
    server: client.server,
    ca: client.ca,
    nodeName,
    token: () => client.token(),
    log,
    handlers: {
      exec,
      attach: exec,
      portforward: portForwardHandler({ cri, findSandbox }),
      log: logHandler((options) => kubelet.readLogs(options)),
      proxy: proxyHandler(
        () => kubelet.pods(),
        () => stats.summary(),
      ),
      service: serviceHandler,
    },
  });
  return {
    async stop() {
      await Promise.all([sampling.stop(), session.stop()]);
    },
  };
}

export const PARTS: readonly StartPart[] = [startCni, startRoutes, services, followAuthorities, tunnel];
