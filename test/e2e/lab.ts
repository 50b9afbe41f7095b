/** Machines for a test: network namespaces on one bridge, each with an agent and a containerd of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../cli/command.ts';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';
import { endRemains } from '../../cli/harness/remains.ts';
import { requestCredential } from '../../cli/up/credentials.ts';
import { type BuiltImage, busyboxImage, writeImages } from '../support/images.ts';

export interface Machine {
  name: string;
  ip: string;
  data: string;
  netns: string;
  agent: ChildProcess;
}

/** Runs a command; throws with what it complained of. */
const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' });

/** A bridge with namespaces on it. Make it before the control plane: its address is one that the certificate must name. */
export class Lab {
  /** Where the namespaces find the host. */
  readonly address: string;
  readonly machines: Machine[] = [];
  private readonly namespaces: string[] = [];
  private readonly id = `zpt${process.pid}`;
  private readonly subnet = freeSubnet();
  private readonly folder = mkdtempSync(join(tmpdir(), 'zeroplane-lab-'));

  constructor() {
    this.address = `${this.subnet}.1`;
    run('ip', 'link', 'add', this.id, 'type', 'bridge');
    run('ip', 'addr', 'add', `${this.address}/24`, 'dev', this.id);
    run('ip', 'link', 'set', this.id, 'up');
  }

  /** Makes a machine and joins it. `keepPods`: they go on when its agent stops; `mirror`: the registry for every image. */
  async join(plane: ControlPlane, name: string, { keepPods = false, mirror = '' } = {}): Promise<Machine> {
    const index = this.machines.length;
    const ip = `${this.subnet}.${index + 2}`;
    const netns = `${this.id}-${index}`;
    const veth = `${this.id}v${index}`;
    run('ip', 'netns', 'add', netns);
    this.namespaces.push(netns);
    run('ip', 'link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    run('ip', 'link', 'set', veth, 'master', this.id, 'up');
    for (const command of [
      ['link', 'set', 'lo', 'up'],
      ['addr', 'add', `${ip}/24`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['route', 'add', 'default', 'via', this.address],
    ]) {
      run('ip', '-n', netns, ...command);
    }
    const data = join(this.folder, name);
    mkdirSync(data);
    const ca = readFileSync(join(plane.data, 'pki/ca.crt'), 'utf8');
    const secret = readFileSync(join(plane.data, 'bootstrap-secret'), 'utf8').trim();
    const { token } = await requestCredential(plane.server, secret, { bootstrap: true, ttlSeconds: 600 }, ca);
    const place = { name, ip, data, netns };
    const more = ['--bootstrap-token', token, ...(mirror === '' ? [] : ['--registry-mirror', mirror])];
    const machine = { ...place, agent: startAgent(plane, place, more, keepPods) };
    this.machines.push(machine);
    return machine;
  }

  /** Ends a machine's agent as a service manager would. */
  async stopAgent({ agent }: Machine): Promise<void> {
    if (agent.exitCode !== null || agent.signalCode !== null) return;
    const gone = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill('SIGTERM');
    const deadline = setTimeout(() => agent.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(deadline);
  }

  /** Starts an agent on a machine again; at its end it will stop its pods. */
  startAgent(plane: ControlPlane, machine: Machine): void {
    machine.agent = startAgent(plane, machine, [], false);
  }

  /** Gives every machine images, by default the one that most tests run. Their containerds must be up. */
  importImages(images: readonly BuiltImage[] = [busyboxImage()]): void {
    for (const { data } of this.machines) importImages(join(data, 'containerd/containerd.sock'), images);
  }

  /** Fetches a URL from a machine's own network; the text, or the error's code. */
  fetchFrom({ netns }: Machine, url: string): string {
    const script = `fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(10_000) }).then(async (r) => console.log(await r.text()), (e) => console.log(e.cause?.code ?? String(e)))`;
    return run('nsenter', `--net=/run/netns/${netns}`, process.execPath, '-e', script).trim();
  }

  /** What nftables has of ours in a machine's network. */
  tablesOf({ netns }: Machine): string {
    return run('nsenter', `--net=/run/netns/${netns}`, 'nft', 'list', 'tables');
  }

  /** What the agents have logged, for the report of a failure. */
  logs(): string {
    return this.machines.map(({ data }) => readFileSync(join(data, 'agent.log'), 'utf8').slice(-2000)).join('\n');
  }

  /** Ends the agents with their pods, and removes all that was made, whatever state a failed test has left it in. */
  async close(): Promise<void> {
    await Promise.all(this.machines.map((machine) => this.stopAgent(machine)));
    await remove(this.id, this.namespaces, this.folder);
  }
}

function startAgent(
  plane: ControlPlane,
  { name, ip, data, netns }: Omit<Machine, 'agent'>,
  more: string[],
  keepPods: boolean,
): ChildProcess {
  const args = [`--net=/run/netns/${netns}`, process.execPath, join(ROOT, 'agent/main.ts'), '--server', plane.server];
  args.push('--ca', join(plane.data, 'pki/ca.crt'), '--node-name', name, '--node-ip', ip, '--data', data, ...more);
  if (!keepPods) args.push('--stop-pods');
  // By the channel it notices when the test is killed.
  const agent = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const log = createWriteStream(join(data, 'agent.log'), { flags: 'a' });
  agent.stdout?.pipe(log, { end: false });
  agent.stderr?.pipe(log, { end: false });
  return agent;
}

/** The first three parts of addresses that nothing on this machine has: others may have labs too. */
function freeSubnet(): string {
  const used = run('ip', '-4', 'addr', 'show');
  for (let third = 45; third < 255; third++) if (!used.includes(` 10.123.${third}.`)) return `10.123.${third}`;
  throw new Error('no addresses are free for a lab');
}

/** Takes a lab away. Everything is tried; throws with the first thing that would not go. */
async function remove(bridge: string, namespaces: string[], folder: string): Promise<void> {
  const problems: unknown[] = [];
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(error);
    }
  };
  await attempt(() => endRemains(folder));
  await attempt(() => rmSync(folder, { recursive: true, force: true }));
  for (const netns of namespaces) await attempt(() => run('ip', 'netns', 'del', netns));
  await attempt(() => run('ip', 'link', 'del', bridge));
  if (problems.length > 0) throw problems[0];
}

/** Gives a containerd, by its socket, images, by default the one that most tests run. */
export function importImages(socket: string, images: readonly BuiltImage[] = [busyboxImage()]): void {
  const folder = mkdtempSync(join(tmpdir(), 'zeroplane-images-'));
  const archive = join(folder, 'images.tar');
  try {
    writeImages(archive, images);
    run('ctr', '-a', socket, '-n', 'k8s.io', 'images', 'import', archive);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The process of a running container, by the `containerID` of its status. */
export function processOf(socket: string, containerID: string): number {
  const tasks = run('ctr', '-a', socket, '-n', 'k8s.io', 'tasks', 'ls');
  const [, pid] = new RegExp(`^${containerID.replace('containerd://', '')}\\s+(\\d+)`, 'm').exec(tasks) ?? [];
  if (pid === undefined) throw new Error(`${containerID} does not run`);
  return Number(pid);
}

/** The agent that a control plane with a real node runs. Throws while there is none. */
export function agentPid(plane: ControlPlane): number {
  const found = execFileSync('pgrep', ['-P', String(plane.process.pid), '-f', 'agent/main.ts'], { encoding: 'utf8' });
  return Number.parseInt(found, 10);
}
