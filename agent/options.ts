/** The agent's command line. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
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
  /** PEM. */
  ca: string | undefined;
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
    containerd: text,
    'pod-cidr': text,
    labels: text,
    'registry-mirror': text,
    'stop-pods': flag,
    'kubelet-only': flag,
    verbose: flag,
  };
  let values: Partial<Record<keyof typeof options, string | boolean>>;
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
  return {
    server,
    nodeName: string('node-name') ?? hostname().toLowerCase(),
    nodeIp,
    dataDir: string('data') ?? '/var/lib/zeroplane',
    tokenFile: string('token-file'),
    bootstrapToken: string('bootstrap-token') ?? readToken(string('bootstrap-token-file')),
    ca: caFile === undefined ? undefined : readCa(caFile),
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

function readToken(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new UsageError(`the file ${file} given with --bootstrap-token-file cannot be read`);
  }
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
