/** A containerd of the agent's own: configured inside the data folder, detached, adopted again by the next agent. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { delay } from '../informer.ts';
import { paths } from '../paths.ts';
import type { Log } from '../types.ts';
import { type Architecture, PAUSE_IMAGE, pauseImage } from './pause-image.ts';

const run = promisify(execFile);

export interface ContainerdOptions {
  dataDir: string;
  log: Log;
  binary?: string;
  /** Where the CNI plugins are. Default: the first of the usual places that exists. */
  cniBin?: string;
  /** For every image, instead of its own registry: `http://127.0.0.1:5000`. */
  mirror?: string;
  /** Say nothing when it runs already. */
  quiet?: boolean;
}

export interface Containerd {
  socket: string;
  pid: number;
  /** Ends containerd itself; containers' shims go on unless they were stopped before. */
  stop(): Promise<void>;
}

const CNI_PLACES = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];
const START_TIMEOUT_MS = 20_000;

function configuration(base: string, cniBin: string, cniConf: string): string {
  const text = JSON.stringify;
  return `version = 2
root = ${text(join(base, 'root'))}
state = ${text(join(base, 'state'))}
[grpc]
  address = ${text(join(base, 'containerd.sock'))}
[ttrpc]
  address = ${text(join(base, 'containerd.sock.ttrpc'))}
[debug]
  level = "warn"
[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(base, 'opt'))}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(PAUSE_IMAGE)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  max_container_log_line_size = 16384
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = ${text(join(base, 'state', 'runc'))}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(cniBin)}
    conf_dir = ${text(cniConf)}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(join(base, 'certs.d'))}
`;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The pid in the file, if it is a containerd with our configuration: pids are used again. */
function recorded(base: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(base, 'pid'), 'utf8'));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.includes(join(base, 'config.toml')) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/** Starts a containerd below `dataDir`, or adopts the one that an earlier agent left. Imports the sandbox image when it is missing. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const { containerd: base, cniConf } = paths(options.dataDir);
  const socket = join(base, 'containerd.sock');
  for (const folder of ['root', 'state', 'opt', 'certs.d']) mkdirSync(join(base, folder), { recursive: true });
  mkdirSync(cniConf, { recursive: true });
  if (options.mirror !== undefined) writeMirror(base, options.mirror);
  let pid = recorded(base);
  const started = pid === undefined;
  if (pid === undefined) {
    const cniBin = options.cniBin ?? CNI_PLACES.find((place) => existsSync(place)) ?? '/opt/cni/bin';
    const config = join(base, 'config.toml');
    writeFileSync(config, configuration(base, cniBin, cniConf));
    const log = openSync(join(base, 'containerd.log'), 'a');
    const child = spawn(options.binary ?? 'containerd', ['-c', config], {
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`containerd cannot be started: ${error.message}`)));
    });
    child.unref();
    pid = child.pid as number;
    writeFileSync(join(base, 'pid'), String(pid));
  } else if (options.quiet !== true) {
    options.log.info('adopted the running containerd', { pid });
  }
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(socket))) {
    if (!alive(pid)) throw new Error(`containerd ended at once: see ${join(base, 'containerd.log')}`);
    if (Date.now() > deadline) throw new Error(`containerd does not answer: see ${join(base, 'containerd.log')}`);
    await delay(50);
  }
  if (started || options.quiet !== true) await importPause(base, socket);
  const owned = pid;
  return { socket, pid: owned, stop: () => stopProcess(base, owned) };
}

/** Both parts are needed: either alone falls back to the image's own registry. */
function writeMirror(base: string, mirror: string): void {
  const folder = join(base, 'certs.d', '_default');
  mkdirSync(folder, { recursive: true });
  const url = JSON.stringify(mirror);
  const text = `server = ${url}\n[host.${url}]\n  capabilities = ["pull", "resolve"]\n`;
  writeFileSync(join(folder, 'hosts.toml'), text);
}

async function importPause(base: string, socket: string): Promise<void> {
  const { stdout } = await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'list', '-q']);
  if (stdout.split('\n').includes(PAUSE_IMAGE)) return;
  const file = join(base, 'pause.tar');
  writeFileSync(file, pauseImage(process.arch as Architecture));
  await importImages(socket, file);
  rmSync(file);
}

/** Loads an OCI layout or docker archive into the runtime, for pods to use. */
export async function importImages(socket: string, file: string): Promise<void> {
  await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', file]);
}

async function stopProcess(base: string, pid: number): Promise<void> {
  if (recorded(base) !== pid) return;
  process.kill(pid, 'SIGTERM');
  for (let i = 0; i < 100 && alive(pid); i++) await delay(50);
  if (alive(pid)) process.kill(pid, 'SIGKILL');
  rmSync(join(base, 'pid'), { force: true });
}
