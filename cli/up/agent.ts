/** The node agent of this machine, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../command.ts';

export interface AgentOptions {
  server: string;
  /** File with the CA of the API's certificate. */
  ca: string;
  nodeName: string;
  bootstrapToken: string;
  data: string;
  onExit(code: number | null): void;
}

/** How long an agent may take to end its pods. */
const STOP_MS = 15_000;

/** Starts the agent; its folder and log lie in the data folder. */
export async function startAgent(options: AgentOptions): Promise<{ stop(): Promise<void>; child: ChildProcess }> {
  const data = join(options.data, 'node');
  await mkdir(data, { recursive: true });
  const tokenFile = join(data, 'bootstrap-token');
  // In a file: arguments can be read by every process of the machine.
  await writeFile(tokenFile, options.bootstrapToken, { mode: 0o600 });
  const args = ['--server', options.server, '--ca', options.ca, '--node-name', options.nodeName];
  args.push('--bootstrap-token-file', tokenFile, '--data', data, '--stop-pods');
  const log = createWriteStream(join(options.data, 'logs/agent.log'), { flags: 'a' });
  const child = spawn(process.execPath, [join(ROOT, 'agent/main.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  let stopping = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      resolve();
      if (!stopping) options.onExit(code);
    });
  });
  return {
    child,
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await gone;
      clearTimeout(deadline);
    },
  };
}
