/** The agent's command line. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ownAddress } from './kubelet/machine.ts';

export interface AgentOptions {
  server: string;
  nodeName: string;
  nodeIp: string;
  dataDir: string;
  /** File with the node's credential. */
  tokenFile: string | undefined;
  bootstrapToken: string | undefined;
  /** Where another may be put while the agent runs. */
  bootstrapTokenFile: string;
  /** PEM. */
  ca: string | undefined;
  /** Pins of CAs, of which the server's must be one. */
  caHashes: string[];
  /** Socket of a containerd that somebody else runs. */
  containerd: string | undefined;
  podCidr: string | undefined;
  labels: Record<string, string>;
  /** A registry that stands for all others. */
  registryMirror: string | undefined;
  stopPods: boolean;
  /** Pod network, Services, DNS and the tunnel are somebody else's. */
  kubeletOnly: boolean;
  verbose: boolean;
}

/** What a pin of a CA looks like. */
const CA_HASH = /^sha256:[0-9a-f]{64}$/;

/** Said when the command line cannot be used. */
export class UsageError extends Error {}

export const USAGE = `usage: node agent/main.ts --server URL [options]
  --server URL            the cluster's API server
  --node-name NAME        default: this machine's name
  --node-ip IP            default: this machine's first address
  --data DIR              default: /var/lib/zeroplane
  --token-file FILE       the node's credential; default: the one in the data folder
  --bootstrap-token TOKEN to join with, when there is no credential yet
  --bootstrap-token-file FILE  the same out of a file, where other users of the machine do not see it
  --ca FILE               the CA to trust, as PEM
  --ca-hash sha256:HASH   instead: the hash of its public key; the CA itself is asked of the cluster (may be repeated)
  --containerd SOCKET     use this containerd instead of one of the agent's own
  --pod-cidr CIDR         addresses of this node's pods; default: what the cluster gives it
  --labels A=B,C=D        more labels for the node
  --registry-mirror URL   pull every image from this registry
  --stop-pods             at the end, stop all pods and the agent's containerd too
  --kubelet-only          leave pod network, Services, DNS and exec to others
  --verbose`;

/** Reads the arguments; throws a {@link UsageError} in one sentence. */
export function parseOptions(args: readonly string[]): AgentOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    server: text,
    'node-name': text,
    'node-ip': text,
    data: text,
    'token-file': text,
    'bootstrap-token': text,
    'bootstrap-token-file': text,
    ca: text,
    'ca-hash': { type: 'string', multiple: true } as const,
    containerd: text,
    'pod-cidr': text,
    labels: text,
    'registry-mirror': text,
    'stop-pods': flag,
    'kubelet-only': flag,
    verbose: flag,
  };
  let values: Partial<Record<keyof typeof options, string | boolean | string[]>>;
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const string = (name: keyof typeof options): string | undefined => values[name] as string | undefined;
  const server = string('server');
  if (server === undefined || !/^https?:\/\/[^/]/.test(server)) {
    throw new UsageError('--server must be the URL of the API server, such as https://cluster.example.org');
  }
  const nodeIp = string('node-ip') ?? ownAddress();
  if (nodeIp === undefined) throw new UsageError('this machine has no address of its own: give one with --node-ip');
  const caFile = string('ca');
  const dataDir = string('data') ?? '/var/lib/zeroplane';
  const caHashes = (values['ca-hash'] as string[] | undefined) ?? [];
  const wrong = caHashes.find((hash) => !CA_HASH.test(hash));
  if (wrong !== undefined) throw new UsageError(`--ca-hash must be sha256: and 64 hexadecimal digits, not ${wrong}`);
  return {
    server,
    nodeName: string('node-name') ?? hostname().toLowerCase(),
    nodeIp,
    dataDir,
    tokenFile: string('token-file'),
    bootstrapToken: string('bootstrap-token') ?? givenToken(string('bootstrap-token-file')),
    bootstrapTokenFile: string('bootstrap-token-file') ?? join(dataDir, 'bootstrap-token'),
    ca: caFile === undefined ? undefined : readCa(caFile),
    caHashes,
    containerd: string('containerd'),
    podCidr: string('pod-cidr'),
    labels: parseLabels(string('labels') ?? ''),
    registryMirror: string('registry-mirror'),
    stopPods: values['stop-pods'] === true,
    kubeletOnly: values['kubelet-only'] === true,
    verbose: values.verbose === true,
  };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`the file ${file} given with --ca cannot be read`);
  }
}

/** The bootstrap token in a file; undefined where there is none. */
export function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function givenToken(file: string | undefined): string | undefined {
  const token = file === undefined ? undefined : readToken(file);
  if (file !== undefined && token === undefined)
    throw new UsageError(`the file ${file} given with --bootstrap-token-file cannot be read`);
  return token;
}

function parseLabels(text: string): Record<string, string> {
  const entries = text
    .split(',')
    .filter((part) => part !== '')
    .map((part): [string, string] => {
      const equals = part.indexOf('=');
      if (equals <= 0) throw new UsageError(`--labels must be of the form key=value,key=value, not ${part}`);
      return [part.slice(0, equals), part.slice(equals + 1)];
    });
  return Object.fromEntries(entries);
}
