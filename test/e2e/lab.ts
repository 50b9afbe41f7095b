/** Machines for a test: network namespaces on one bridge, each with an agent and a containerd of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../cli/command.ts';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';
import { requestCredential } from '../../cli/up/credentials.ts';
import { busyboxImage, writeImages } from '../support/images.ts';

const SUBNET = '10.123.45';

export interface Machine {
  name: string;
  ip: string;
  data: string;
  netns: string;
  agent: ChildProcess;
}

/** Runs a command; throws with what it complained of. */
const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

/** A bridge with namespaces on it. Make it before the control plane: its address is one that the certificate must name. */
export class Lab {
  /** Where the namespaces find the host. */
  readonly address = `${SUBNET}.1`;
  readonly machines: Machine[] = [];
  private readonly namespaces: string[] = [];
  private readonly id = `zpt${process.pid % 100_000}`;
  private readonly folder = mkdtempSync(join(tmpdir(), 'zeroplane-lab-'));

  constructor() {
    run('ip', 'link', 'add', this.id, 'type', 'bridge');
    run('ip', 'addr', 'add', `${this.address}/24`, 'dev', this.id);
    run('ip', 'link', 'set', this.id, 'up');
  }

  /** Makes a machine and joins it. */
  async join(plane: ControlPlane, name: string): Promise<Machine> {
    const index = this.machines.length;
    const ip = `${SUBNET}.${index + 2}`;
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
    const ca = join(plane.data, 'pki/ca.crt');
    const secret = readFileSync(join(plane.data, 'bootstrap-secret'), 'utf8').trim();
    const request = { bootstrap: true, ttlSeconds: 600 };
    const { token } = await requestCredential(plane.server, secret, request, readFileSync(ca, 'utf8'));
    const args = [`--net=/run/netns/${netns}`, process.execPath, join(ROOT, 'agent/main.ts'), '--server', plane.server];
    args.push('--ca', ca, '--node-name', name, '--node-ip', ip, '--data', data, '--stop-pods');
    args.push('--bootstrap-token', token);
    const agent = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(data, 'agent.log'));
    agent.stdout.pipe(log, { end: false });
    agent.stderr.pipe(log, { end: false });
    const machine = { name, ip, data, netns, agent };
    this.machines.push(machine);
    return machine;
  }

  /** Gives every machine the test's image. Their containerds must be up. */
  importImages(): void {
    importImages(...this.machines.map(({ data }) => join(data, 'containerd/containerd.sock')));
  }

  /** Fetches a URL from a machine's own network; the text, or curl's complaint. */
  fetchFrom({ netns }: Machine, url: string): string {
    const script = `fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(3000) }).then(async (r) => console.log(await r.text()), (e) => console.log(e.cause?.code ?? String(e)))`;
    return run('nsenter', `--net=/run/netns/${netns}`, process.execPath, '-e', script).trim();
  }

  /** What the agents have logged, for the report of a failure. */
  logs(): string {
    return this.machines.map(({ data }) => readFileSync(join(data, 'agent.log'), 'utf8').slice(-2000)).join('\n');
  }

  /** Ends the agents with their pods, and removes all that was made. */
  async close(): Promise<void> {
    await Promise.all(
      this.machines.map(({ agent }) => {
        if (agent.exitCode !== null || agent.signalCode !== null) return undefined;
        const gone = new Promise((resolve) => agent.once('exit', resolve));
        agent.kill('SIGTERM');
        const deadline = setTimeout(() => agent.kill('SIGKILL'), 20_000);
        return gone.finally(() => clearTimeout(deadline));
      }),
    );
    for (const netns of this.namespaces) run('ip', 'netns', 'del', netns);
    run('ip', 'link', 'del', this.id);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Gives containerds, by their sockets, the image that tests run. */
export function importImages(...sockets: string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'zeroplane-images-'));
  const archive = join(folder, 'images.tar');
  writeImages(archive, [busyboxImage()]);
  for (const socket of sockets) {
    execFileSync('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', archive], { stdio: 'ignore' });
  }
  rmSync(folder, { recursive: true });
}
