/** A control plane of its own for a test or a measurement: `npm start` as a child process, on a free port, in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay } from '../../agent/informer.ts';
import { networkHolder } from '../../agent/network/claim.ts';
import { ROOT } from '../command.ts';
import { ANOTHER_NODE, PORT_IN_USE } from '../commands/up.ts';
import { endRemains } from './remains.ts';

/** How long another test run may take with its real node. */
const TURN_MS = 150_000;
const AGAIN_MS = 200;

export interface ControlPlaneOptions {
  nodes: string;
  controllers?: 'on' | 'off';
  address?: string;
  /** Instead of a temporary folder; it is kept. */
  data?: string;
  port?: number;
  readyMs?: number;
  /** More of the command line. */
  args?: string[];
}

export interface ControlPlane {
  server: string;
  port: number;
  token: string;
  kubeconfig: string;
  data: string;
  process: ChildProcess;
  /** Everything that it has printed. */
  output(): string;
  /** Stops it as Ctrl-C would; removes the folder if it was temporary. */
  stop(options?: { keepData?: boolean }): Promise<void>;
}

/** The process of its workerd, as it was started last. Throws where there was none. */
export const runtimePid = ({ data }: Pick<ControlPlane, 'data'>): number =>
  Number.parseInt(readFileSync(join(data, 'workerd.pid'), 'utf8'), 10);

/** A port that nothing listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts a control plane and waits until it says `ready`. Throws with what it printed when it does not. A machine can be one real node
 * at a time, and a port has one listener: while another test run has what is wanted, this one waits.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const deadline = Date.now() + TURN_MS;
  for (;;) {
    while (options.nodes === 'real' && (await isTaken(options.data)) && Date.now() < deadline) await delay(AGAIN_MS);
    try {
      return await start(options);
    } catch (error) {
      // A port that was free may be somebody's by now, and be it only for the other end of a connection.
      const isLate = [ANOTHER_NODE, PORT_IN_USE].some((why) => error instanceof Error && error.message.includes(why));
      if (!isLate || Date.now() >= deadline) throw error;
      await delay(AGAIN_MS);
    }
  }
}

/** Whether another agent has this machine's network. One of the same data folder does not count: the launcher ends it. */
async function isTaken(data = '\0'): Promise<boolean> {
  const holder = await networkHolder();
  return holder !== undefined && !holder.includes(data);
}

async function start(options: ControlPlaneOptions): Promise<ControlPlane> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'zeroplane-')));
  const port = options.port ?? (await freePort());
  const args = ['up', '--port', String(port), '--data', data, '--nodes', options.nodes, '--yes'];
  args.push('--controllers', options.controllers ?? 'on', '--address', options.address ?? '127.0.0.1');
  args.push(...(options.args ?? []));
  const child = spawn(process.execPath, [join(ROOT, 'cli/main.ts'), ...args], {
    // By the channel it notices when whoever uses it is killed.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, INIT_CWD: undefined, NO_COLOR: '1' },
  });
  let output = '';
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`not ready in time:\n${output}`)), options.readyMs ?? 180_000);
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      if (/^ready$/m.test(output)) {
        clearTimeout(deadline);
        resolve();
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code) => {
      clearTimeout(deadline);
      reject(new Error(`ended with exit code ${code}:\n${output}`));
    });
  });
  const stop = async ({ keepData = options.data !== undefined } = {}): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await gone;
      clearTimeout(deadline);
    }
    if (keepData) return;
    await endRemains(data);
    await rm(data, { recursive: true, force: true });
  };
  try {
    await ready;
  } catch (error) {
    await stop({ keepData: options.data !== undefined });
    throw error;
  }
  const kubeconfig = join(data, 'kubeconfig');
  const config = await readFile(kubeconfig, 'utf8');
  const token = /^ {4}token: (.+)$/m.exec(config)?.[1] ?? '';
  const server = /^ {4}server: (.+)$/m.exec(config)?.[1] ?? '';
  return {
    server,
    port,
    token,
    kubeconfig,
    data,
    process: child,
    output: () => output,
    stop,
  };
}
