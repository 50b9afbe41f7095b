/** The node agent: joins the cluster, runs containerd, and is kubelet, kube-proxy and the node's end of the tunnel. */
import { mkdirSync } from 'node:fs';
import { HttpClient } from './client.ts';
import { trustedCa } from './discovery.ts';
import { delay, Informers } from './informer.ts';
import { type Credential, loadCredential, requestCredential, saveCredential } from './join.ts';
import { Kubelet } from './kubelet/kubelet.ts';
import { capacity } from './kubelet/machine.ts';
import { createLog } from './log.ts';
import { claimNetwork } from './network/claim.ts';
import { type AgentOptions, parseOptions, readToken, USAGE, UsageError } from './options.ts';
import { PARTS } from './parts.ts';
import { paths } from './paths.ts';
import { type Containerd, startContainerd } from './runtime/containerd.ts';
import { CriClient } from './runtime/cri.ts';
import { TokenKeeper } from './token-keeper.ts';
import type { AgentContext, ClusterInfo, Log, Running } from './types.ts';

const JOIN_RETRY_MS = 3000;
const SUPERVISE_MS = 2000;
/** How long requests that are under way may take to end. */
const END_MS = 1000;

/** The node's credential: the kept one, or a new one for the bootstrap token. Waits for a server that is not there yet. */
async function credentialOf(options: AgentOptions, log: Log): Promise<Credential> {
  const file = options.tokenFile ?? paths(options.dataDir).credential;
  const kept = loadCredential(file);
  if (kept !== undefined) return kept;
  const { bootstrapToken } = options;
  if (bootstrapToken === undefined) {
    throw new UsageError(`this node has no credential in ${file}: give --bootstrap-token to join`);
  }
  for (;;) {
    try {
      const credential = await requestCredential(options.server, options.ca, bootstrapToken, options.nodeName);
      saveCredential(file, credential);
      log.info('joined the cluster', { node: options.nodeName, server: options.server });
      return credential;
    } catch (error) {
      if (error instanceof Error && error.name === 'StatusError') {
        throw new UsageError(`the cluster did not let this node join: ${error.message}`);
      }
      log.warn('the cluster cannot be reached, trying again', { error });
      await delay(JOIN_RETRY_MS);
    }
  }
}

function clusterInfo(credential: Credential): ClusterInfo {
  return {
    dns: credential.clusterDns ?? '10.96.0.10',
    domain: credential.clusterDomain ?? 'cluster.local',
    serviceCidr: credential.serviceCidr ?? '10.96.0.0/16',
    ...(credential.clusterCidr === undefined ? {} : { clusterCidr: credential.clusterCidr }),
  };
}

/** Starts containerd again whenever it is gone: pods go on meanwhile, and the CRI client reconnects by itself. */
function supervise(first: Containerd, options: AgentOptions, log: Log): Running & { stopContainerd(): Promise<void> } {
  const abort = new AbortController();
  let current = first;
  const watch = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      await delay(SUPERVISE_MS, abort.signal);
      if (abort.signal.aborted) return;
      try {
        current = await startContainerd({ ...containerdOptions(options, log), quiet: true });
      } catch (error) {
        log.error('containerd does not run, trying again', { error });
      }
    }
  };
  const done = watch();
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  return {
    stop,
    stopContainerd: async () => {
      await stop();
      await current.stop();
    },
  };
}

const containerdOptions = (options: AgentOptions, log: Log): Parameters<typeof startContainerd>[0] => ({
  dataDir: options.dataDir,
  log,
  ...(options.registryMirror === undefined ? {} : { mirror: options.registryMirror }),
});

async function claim({ nodeName, dataDir }: AgentOptions): Promise<void> {
  const holder = await claimNetwork(`node ${nodeName}, process ${process.pid}, data folder ${dataDir}`);
  if (holder !== undefined) throw new UsageError(`another agent has this machine's network (${holder}): stop it first`);
}

/** Runs the agent until `signal` aborts. */
async function run(given: AgentOptions, signal: AbortSignal): Promise<void> {
  const log = createLog('agent', given.verbose);
  const options = { ...given, ca: await trustedCa(given, log) };
  mkdirSync(options.dataDir, { recursive: true });
  if (!options.kubeletOnly) await claim(options);
  const credential = await credentialOf(options, log);
  const keeper = new TokenKeeper({
    server: options.server,
    ca: options.ca,
    nodeName: options.nodeName,
    credential,
    file: options.tokenFile ?? paths(options.dataDir).credential,
    bootstrapToken: () => readToken(options.bootstrapTokenFile) ?? options.bootstrapToken,
    log,
  });
  const own = options.containerd === undefined ? await startContainerd(containerdOptions(options, log)) : undefined;
  const supervisor = own === undefined ? undefined : supervise(own, options, log);
  const cri = new CriClient(own?.socket ?? options.containerd ?? '');
  const client = new HttpClient({
    server: options.server,
    ca: options.ca,
    token: keeper.current,
    answered: keeper.answered,
  });
  const informers = new Informers(client, log);
  const context: AgentContext = {
    client,
    credentials: keeper,
    cri,
    informers,
    log,
    nodeName: options.nodeName,
    nodeIp: options.nodeIp,
    dataDir: options.dataDir,
    cluster: clusterInfo(credential),
    ...(options.podCidr === undefined ? {} : { podCidr: options.podCidr }),
  };
  const kubelet = new Kubelet({ context, labels: options.labels }, await capacity(options.dataDir));
  const parts: Running[] = [];
  for (const start of options.kubeletOnly ? [] : PARTS) parts.push(await start(context, kubelet));
  await Promise.race([kubelet.start(), aborted(signal)]);
  if (!signal.aborted) log.info('the node is running', { node: options.nodeName });
  await aborted(signal);
  log.info('stopping', { pods: options.stopPods ? 'stopped too' : 'left running' });
  await kubelet.stop({ stopPods: options.stopPods });
  for (const part of parts.reverse()) await part.stop({ keep: !options.stopPods });
  await Promise.race([Promise.all([informers.stop(), keeper.stop()]), delay(END_MS)]);
  if (options.stopPods) await supervisor?.stopContainerd();
  else await supervisor?.stop();
  cri.close();
  client.close();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

// Whoever keeps the log may die: the node goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    // A second signal means that somebody has lost patience.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}
// Whoever started it with a channel has died without a word.
process.once('disconnect', () => stopping.abort());
process.channel?.unref();
if (process.argv.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
try {
  await run(parseOptions(process.argv.slice(2)), stopping.signal);
  process.exit(0);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
