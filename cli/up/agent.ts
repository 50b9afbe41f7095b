/** The node agent of this machine, as a process of its own: started again when it dies, as a service manager would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../command.ts';
import { forget, record } from './leftover.ts';

export interface AgentOptions {
  server: string;
  /** File with the CA of the API's certificate. */
  ca: string;
  nodeName: string;
  /** A token to join with: for the start, and for when the machine has slept. */
  bootstrapToken(): Promise<string>;
  data: string;
  /** It has died too often in a row. */
  onLost(why: string): void;
}

/** How long an agent may take to end its pods. */
const STOP_MS = 15_000;
/** Waits before it is started again, by the number of deaths in a row. */
const RESTART_MS = [0, 500, 1000, 2000, 5000];
/** How often the clock is looked at. A minute that took so much longer was slept through, and the node's credential may have ended in it. */
const WATCH_MS = 60_000;
const SLEPT_MS = 600_000;
/** An agent that has lived so long is in order. */
const SOUND_MS = 30_000;

export class Agent {
  private readonly args: readonly string[];
  private readonly data: string;
  private readonly log: WriteStream;
  private readonly onLost: AgentOptions['onLost'];
  private child: ChildProcess | undefined;
  private gone: Promise<void> = Promise.resolve();
  private deaths = 0;
  private restart: NodeJS.Timeout | undefined;
  private watch: NodeJS.Timeout | undefined;
  private stopping = false;

  private constructor(args: readonly string[], log: WriteStream, { data, onLost }: AgentOptions) {
    this.args = args;
    this.log = log;
    this.data = data;
    this.onLost = onLost;
  }

  /** Starts the agent; its folder and log lie in the data folder. */
  static async start(options: AgentOptions): Promise<Agent> {
    const data = join(options.data, 'node');
    await mkdir(data, { recursive: true });
    const tokenFile = join(data, 'bootstrap-token');
    // In a file: arguments can be read by every process of the machine, and the agent looks into it again.
    const invite = async (): Promise<void> => writeFile(tokenFile, await options.bootstrapToken(), { mode: 0o600 });
    await invite();
    const args = ['--server', options.server, '--ca', options.ca, '--node-name', options.nodeName];
    args.push('--bootstrap-token-file', tokenFile, '--data', data, '--stop-pods');
    const log = createWriteStream(join(options.data, 'logs/agent.log'), { flags: 'a' });
    const agent = new Agent(args, log, options);
    await agent.spawn();
    agent.watchClock(invite);
    return agent;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    clearInterval(this.watch);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await this.gone;
    clearTimeout(deadline);
    await forget(this.data, 'agent');
  }

  private watchClock(wokeUp: () => Promise<void>): void {
    let last = Date.now();
    this.watch = setInterval(() => {
      const now = Date.now();
      // A server that is not up again yet is asked the next time.
      if (now - last > SLEPT_MS)
        wokeUp().then(
          () => (last = now),
          () => {},
        );
      else last = now;
    }, WATCH_MS);
  }

  private async spawn(): Promise<void> {
    const started = Date.now();
    const child = spawn(process.execPath, [join(ROOT, 'agent/main.ts'), ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stdout.pipe(this.log, { end: false });
    child.stderr.pipe(this.log, { end: false });
    this.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve();
        this.died(signal ?? `exit code ${code}`, Date.now() - started);
      });
    });
    if (child.pid !== undefined) await record(this.data, 'agent', child.pid);
  }

  /** Its containers go on without it; the next agent takes them over. */
  private died(why: string, lived: number): void {
    if (this.stopping) return;
    this.deaths = lived > SOUND_MS ? 0 : this.deaths + 1;
    const wait = RESTART_MS[this.deaths];
    if (wait === undefined) this.onLost(why);
    else this.restart = setTimeout(() => void this.spawn(), wait);
  }
}
