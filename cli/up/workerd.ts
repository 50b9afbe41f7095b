/** workerd itself, with a configuration of ours: native TLS, state on disk, and a private socket that fires the tick. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { UserError } from '../command.ts';
import type { AuditSettings } from './audit-log.ts';
import type { Authentication } from './authentication.ts';
import type { Built } from './build.ts';
import { forget, record } from './leftover.ts';
import type { Pki } from './pki.ts';

const CLASSES: Record<string, string> = {
  STORE: 'ResourceStore',
  CLUSTER: 'Cluster',
  CONTROLLER_MANAGER: 'ControllerManager',
  SCHEDULER: 'Scheduler',
  NODE_SESSION: 'NodeSession',
};
const COMPATIBILITY_DATE = '2026-10-01';
const TICK_MS = 60_000;
/** SIGTERM lets open requests finish, and watches never do. */
const STOP_MS = 1500;
const RESTART_MS = [100, 500, 2000, 5000, 10_000];

export interface ServeOptions {
  address: string;
  port: number;
  data: string;
  controllers: 'on' | 'off';
  bootstrapSecret: string;
  encryptionKeys: string;
  encryptedResources: string;
  authentication: Authentication | undefined;
  /** Undefined: nothing is noted down. */
  audit: AuditSettings | undefined;
  built: Built;
  pki: Pki;
  /** Called when workerd has died by itself and could not be brought back. */
  onLost(why: string): void;
}

/** The running control plane. */
export class Workerd {
  private readonly options: ServeOptions;
  private readonly log: WriteStream;
  private readonly tick: NodeJS.Timeout;
  private child: ChildProcess | undefined;
  private deaths = 0;
  private stopping = false;

  private constructor(options: ServeOptions, log: WriteStream) {
    this.options = options;
    this.log = log;
    this.tick = setInterval(() => void fireTick(tickSocket(options.data)).catch(() => {}), TICK_MS);
    this.tick.unref();
  }

  /** Writes the configuration and starts workerd; wait for the API with a request. */
  static async start(options: ServeOptions): Promise<Workerd> {
    const { data } = options;
    await Promise.all(['state', 'logs'].map((folder) => ownFolder(join(data, folder))));
    await writeFile(join(data, 'workerd.capnp'), configuration(options));
    const workerd = new Workerd(options, createWriteStream(join(data, 'logs/workerd.log'), { flags: 'a' }));
    await workerd.spawn();
    return workerd;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.tick);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(deadline);
    await forget(this.options.data, 'workerd');
  }

  private async spawn(): Promise<void> {
    const { data, bootstrapSecret, encryptionKeys, audit } = this.options;
    // One that was killed leaves its socket behind, and nobody else could bind it.
    await rm(tickSocket(data), { force: true });
    const child = spawn(workerdBinary(), ['serve', join(data, 'workerd.capnp')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        BOOTSTRAP_SECRET: bootstrapSecret,
        ENCRYPTION_KEYS: encryptionKeys,
        AUDIT_POLICY: audit?.policy,
        STARTED: randomUUID(),
      },
    });
    this.child = child;
    child.stdout?.pipe(this.log, { end: false });
    child.stderr?.pipe(this.log, { end: false });
    const started = Date.now();
    child.once('exit', (code, signal) => this.died(signal ?? `exit code ${code}`, Date.now() - started));
    if (child.pid !== undefined) await record(data, 'workerd', child.pid);
  }

  private died(why: string, lived: number): void {
    if (this.stopping) return;
    this.deaths = lived > 30_000 ? 0 : this.deaths + 1;
    const wait = RESTART_MS[this.deaths];
    if (wait === undefined) this.options.onLost(`workerd ended again and again (${why})`);
    else setTimeout(() => void this.spawn(), wait);
  }
}

/** A folder for its owner alone, also where it was there before. */
async function ownFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
}

const tickSocket = (data: string): string => join(data, 'tick.sock');

/** The binary that the package brings for this machine; the package's own command is a script around it. */
function workerdBinary(): string {
  const require = createRequire(import.meta.url);
  const { platform, arch } = process;
  const name = `@cloudflare/workerd-${platform}-${arch === 'x64' ? '64' : arch}`;
  try {
    return require.resolve(`${name}/bin/workerd`, { paths: [require.resolve('workerd/package.json')] });
  } catch {
    throw new UserError(`there is no workerd for ${platform} on ${arch}.`);
  }
}

const text = (value: string): string => JSON.stringify(value);

function configuration(options: ServeOptions): string {
  const { address, port, data, controllers, encryptedResources, authentication, audit, built, pki } = options;
  const namespaces = Object.values(CLASSES).map(
    (name) => `    (className = ${text(name)}, uniqueKey = ${text(`zeroplane-${name}`)}, enableSql = true),`,
  );
  const bindings = Object.entries(CLASSES).map(
    ([binding, name]) => `    (name = ${text(binding)}, durableObjectNamespace = ${text(name)}),`,
  );
  const trusted = (authentication?.authorities ?? []).map((file) => `embed ${text(relative(data, file))}`).join(', ');
  const auditService =
    audit && `    (name = "audit", external = (address = ${text(`unix:${audit.socket}`)}, http = ())),\n`;
  const auditBindings =
    audit &&
    `    (name = "AUDIT_SERVICE", service = "audit"),
    (name = "AUDIT_POLICY", fromEnvironment = "AUDIT_POLICY"),\n`;
  // Embedded files are found from where the configuration lies.
  const near = (file: string): string => text(relative(data, file));
  const host = address.includes(':') ? `[${address}]` : address;
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "state", disk = (path = ${text(join(data, 'state'))}, writable = true)),
    # Admission webhooks are where their configurations say, which may be on this machine or near it.
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true, trustedCertificates = [${trusted}]))),
    (name = "assets", disk = (path = ${text(built.assets)})),
${auditService ?? ''}  ],
  sockets = [
    (name = "https", address = ${text(`${host}:${port}`)}, service = "main", https = (
      options = (),
      tlsOptions = (keypair = (privateKey = embed ${near(pki.key)}, certificateChain = embed ${near(pki.cert)})),
    )),
    (name = "tick", address = ${text(`unix:${tickSocket(data)}`)}, service = (name = "main", entrypoint = "cron"), http = ()),
  ],
);

const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${near(built.worker)})],
  compatibilityDate = ${text(COMPATIBILITY_DATE)},
  durableObjectStorage = (localDisk = "state"),
  durableObjectNamespaces = [
${namespaces.join('\n')}
  ],
  bindings = [
${bindings.join('\n')}
    (name = "ASSETS", service = "assets"),
    (name = "CONTROLLERS", text = ${text(controllers)}),
    (name = "STARTED", fromEnvironment = "STARTED"),
    (name = "BOOTSTRAP_SECRET", fromEnvironment = "BOOTSTRAP_SECRET"),
${authentication === undefined ? '' : `    (name = "AUTHENTICATION_CONFIG", text = embed ${near(authentication.file)}),\n`}    (name = "ENCRYPTION_KEYS", fromEnvironment = "ENCRYPTION_KEYS"),
    (name = "ENCRYPTED_RESOURCES", text = ${text(encryptedResources)}),
${auditBindings ?? ''}  ],
);
`;
}

/** One tick: what cron does once a minute on Cloudflare. */
function fireTick(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: '/', timeout: 30_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve());
    });
    request.on('error', reject);
  });
}
