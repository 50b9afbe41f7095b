/** `npm start`: a whole cluster on this machine, in the foreground. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import https from 'node:https';
import net from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { HttpClient } from '../../agent/client.ts';
import { networkHolder } from '../../agent/network/claim.ts';
import { type Command, UserError } from '../command.ts';
import { bold, dim, say, step } from '../progress.ts';
import { Agent } from '../up/agent.ts';
import { AuditLog, readAuditPolicy } from '../up/audit-log.ts';
import { authenticationOf } from '../up/authentication.ts';
import { build } from '../up/build.ts';
import { bootstrapSecret, encryptionKeys, messageOf, requestCredential, writeKubeconfig } from '../up/credentials.ts';
import { endLeftovers } from '../up/leftover.ts';
import { lockFolder } from '../up/lock.ts';
import { UP_HELP, type UpOptions, upOptions } from '../up/options.ts';
import { installMissing, unfitness } from '../up/packages.ts';
import { ensurePki } from '../up/pki.ts';
import { startSimulatedNodes } from '../up/simulated-node.ts';
import { nodesReady, until } from '../up/wait.ts';
import { Workerd } from '../up/workerd.ts';

/** Said where this machine is a node already. */
export const ANOTHER_NODE = 'another node agent runs on this machine';
/** Said of a port that somebody else listens on. */
export const PORT_IN_USE = 'is in use; choose another with --port';
const YEAR = 365 * 24 * 3600;
const HOUR = 3600;
const NODE_READY_MS = 120_000;

/** What was started, to be stopped in reverse. */
type Stoppable = () => Promise<void>;

export const up: Command = {
  name: 'up',
  summary: 'run a whole cluster on this machine (npm start)',
  help: UP_HELP,
  async run(args) {
    const options = upOptions(args);
    const started: Stoppable[] = [];
    const ended = new Promise<number>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(0));
      // Whoever started it with a channel, such as a test, has died without a word.
      process.once('disconnect', () => resolve(0));
      process.channel?.unref();
      lost = (why) => {
        say(`zeroplane: ${why}.`);
        resolve(1);
      };
    });
    try {
      const running = start(options, started);
      const early = await Promise.race([running.then(() => undefined), ended]);
      return early ?? (await ended);
    } finally {
      if (started.length > 1) say(dim('Stopping …'));
      for (const stop of started.reverse()) await stop();
    }
  },
};

const ADMIN = { user: 'admin', uid: 'admin-uid', groups: ['system:masters'] };

let lost: (why: string) => void = () => {};

async function start(options: UpOptions, started: Stoppable[]): Promise<void> {
  const { data, address, port } = options;
  started.push(await lockFolder(data));
  await endLeftovers(data);
  await freePort(address, port);
  const policy = options.auditPolicy === undefined ? '' : await readAuditPolicy(options.auditPolicy);
  const nodes = await chooseNodes(options);
  const built = await step('Building the Worker', build);
  const pki = await ensurePki(join(data, 'pki'));
  const secret = await bootstrapSecret(data);
  const keys = await encryptionKeys(data);
  const config = options.authenticationConfig;
  const authentication = config === undefined ? undefined : await authenticationOf(config, data);
  const ca = await readFile(pki.ca, 'utf8');
  const host =
    address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
  const server = `https://${host}:${port}`;

  const audit = options.auditLog === undefined ? undefined : await AuditLog.start(data, options.auditLog);
  // The API server ends before it, with its last events.
  if (audit !== undefined) started.push(() => audit.stop());
  const admin = await step(`Serving the API on ${server}`, async () => {
    const workerd = await Workerd.start({
      ...options,
      bootstrapSecret: secret,
      encryptionKeys: keys,
      authentication,
      audit: audit && { policy, socket: audit.socket },
      built,
      pki,
      onLost: (why) => lost(why),
    });
    started.push(() => workerd.stop());
    await until('serving', 30_000, () => reachable(server, ca));
    return requestCredential(server, secret, { ...ADMIN, ttlSeconds: YEAR }, ca);
  });
  await mkdir(dirname(options.kubeconfig), { recursive: true });
  await writeKubeconfig(options.kubeconfig, server, admin, ca);

  const client = new HttpClient({ server, ca, token: () => admin.token });
  if (nodes.kind === 'simulated') {
    const simulated = await step('Joining simulated nodes', async () => {
      const running = await startSimulatedNodes(client, nodes.count);
      started.push(() => running.stop());
      await nodesReady(client, NODE_READY_MS, (ready) => running.names.every((name) => ready.has(name)));
      return running;
    });
    summary(options, server, `${simulated.names.length} simulated node(s): pods run in name only`);
  } else if (nodes.kind === 'real') {
    const nodeName = hostname().toLowerCase();
    await step(`Joining this machine as node ${nodeName}`, async () => {
      const since = Date.now();
      const agent = await Agent.start({
        server,
        ca: pki.ca,
        nodeName,
        bootstrapToken: async () =>
          (await requestCredential(server, secret, { bootstrap: true, ttlSeconds: HOUR }, ca)).token,
        data,
        onLost: (why) =>
          lost(`the node agent ended again and again (${why}); its log is ${join(data, 'logs/agent.log')}`),
      });
      started.push(() => agent.stop());
      await nodesReady(client, NODE_READY_MS, (ready) => ready.has(nodeName), since);
    });
    summary(options, server, `node ${nodeName}, this machine`);
  } else summary(options, server, 'no nodes');
  process.stdout.write('ready\n');
}

/** What kind of nodes there will be: a machine that cannot run containers gets a simulated one, and is told why. */
async function chooseNodes(options: UpOptions): Promise<UpOptions['nodes']> {
  if (options.nodes.kind !== 'real') return options.nodes;
  const why = unfitness();
  if (why !== undefined) {
    say(`This machine joins as a simulated node, on which pods do not really run: ${why}.`);
    return { kind: 'simulated', count: undefined };
  }
  const holder = await networkHolder();
  if (holder !== undefined) {
    throw new UserError(`${ANOTHER_NODE} (${holder}); stop it first, or start with --nodes simulated.`);
  }
  await installMissing(options.yes);
  return options.nodes;
}

async function freePort(address: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new UserError(`port ${port} ${PORT_IN_USE}.`));
      else reject(new UserError(`cannot listen on ${address}:${port}: ${error.message}.`));
    });
    probe.listen(port, address, () => probe.close(() => resolve()));
  });
}

function reachable(server: string, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = https.get(`${server}/readyz`, { ca, timeout: 5000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200 || isAnonymousRefused(response.statusCode)) resolve();
        else reject(misconfigured(body) ?? new Error(`status ${response.statusCode}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}

/** Where nobody may ask without a name, being refused is an answer. */
const isAnonymousRefused = (status: number | undefined): boolean => status === 401 || status === 403;

/** What the server says of a configuration or of keys that it cannot go by: waiting does not help. */
function misconfigured(body: string): UserError | undefined {
  const [, why] =
    /^Internal error occurred: (.*(?:authentication configuration|ENCRYPTION_KEYS).*)$/s.exec(messageOf(body)) ?? [];
  return why === undefined ? undefined : new UserError(`${why}.`);
}

function summary({ kubeconfig, data }: UpOptions, server: string, nodes: string): void {
  const kubectl = process.env['KUBECONFIG'] === kubeconfig ? 'kubectl' : `kubectl --kubeconfig ${kubeconfig}`;
  const logs = existsSync(join(data, 'logs')) ? join(data, 'logs') : data;
  say(
    [
      '',
      `${bold('Kubernetes v1.36')} at ${server} with ${nodes}`,
      `kubeconfig: ${kubeconfig}    logs: ${logs}`,
      '',
      'Try, in a second terminal:',
      `  ${kubectl} get nodes -o wide`,
      `  ${kubectl} create deployment web --image=nginx --replicas=3`,
      `  ${kubectl} get pods -w`,
      '',
      dim('Ctrl-C stops all of it; the next start finds its state.'),
      '',
    ].join('\n'),
  );
}
