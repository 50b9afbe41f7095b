/** `zeroplane node`: this machine joins a cluster; a node leaves it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseDuration } from '../../src/apimachinery/duration.ts';
import { isDns1123Subdomain } from '../../src/apimachinery/names.ts';
import { type Command, parseOptions, ROOT, UserError } from '../command.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, withConnection } from '../connect.ts';
import { removeNode } from '../node/remove.ts';
import { installMissing, unfitness } from '../up/packages.ts';

const HELP = `Usage: zeroplane node join --server URL --bootstrap-token TOKEN [OPTIONS]
       zeroplane node remove NAME [OPTIONS]

join     makes this machine a node, until it is stopped; installs what is missing (Debian, Ubuntu). All options are the agent's:
         'zeroplane node join --agent-help' lists them.
remove   shuts a node out: what it was given is no good from now on, its session ends, its Node and its pods are deleted.

Options of remove:
${CONNECTION_HELP}  --drain           evict its pods first, as their disruption budgets allow
  --timeout TIME    how long that may take (default 5m)

Examples:
  node cli/bootstrap.mjs node join --server https://zeroplane.example.workers.dev --bootstrap-token abcdef.0123456789abcdef
  npm run zeroplane -- node remove worker-3 --drain --kubeconfig .zeroplane/kubeconfig
`;

export const node: Command = {
  name: 'node',
  summary: 'make this machine a node, or shut a node out',
  help: HELP,
  run([what, ...args]) {
    if (what === 'join') return joinCluster(args);
    if (what === 'remove') return remove(args);
    throw new UserError('node join, or node remove NAME. See --help.', 2);
  },
};

/** Runs the agent until it ends; its exit code is the answer. */
async function joinCluster(args: string[]): Promise<number> {
  const agentArgs = args.map((arg) => (arg === '--agent-help' ? '--help' : arg));
  if (!agentArgs.includes('--help')) {
    const why = unfitness();
    if (why !== undefined) throw new UserError(`this machine cannot be a node: ${why}.`);
    await installMissing(true);
  }
  const agent = spawn(process.execPath, [join(ROOT, 'agent/main.ts'), ...agentArgs], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => agent.kill('SIGTERM'));
  // The terminal sends it to the agent as well.
  process.on('SIGINT', () => {});
  return new Promise((resolve, reject) => {
    agent.once('error', reject);
    agent.once('exit', (code) => resolve(code ?? 1));
  });
}

async function remove(args: string[]): Promise<number> {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...CONNECTION_OPTIONS,
      drain: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '5m' },
    },
  });
  const [name = ''] = positionals;
  const timeoutMs = parseDuration(values.timeout);
  if (positionals.length !== 1 || isDns1123Subdomain(name).length > 0)
    throw new UserError('node remove takes one node’s name.', 2);
  if (timeoutMs === undefined || timeoutMs <= 0) throw new UserError('--timeout is a time such as 5m.', 2);
  await withConnection(values, ({ client }) => removeNode(client, name, values.drain ? { timeoutMs } : undefined));
  process.stdout.write(`node ${JSON.stringify(name)} removed\n`);
  return 0;
}
