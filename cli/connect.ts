/** How a command reaches the API server: with the deployment's secret, or as the user of a kubeconfig. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HttpClient } from '../agent/client.ts';
import { decodeYaml } from '../src/apimachinery/codec/yaml.ts';
import { StatusError } from '../src/apimachinery/errors.ts';
import { pathOf, readText, UserError } from './command.ts';
import { type Deployment, deploymentOf, requestCredential } from './up/credentials.ts';

/** Options of every command that speaks to a server. */
export const CONNECTION_OPTIONS = {
  server: { type: 'string' },
  secret: { type: 'string' },
  ca: { type: 'string' },
  kubeconfig: { type: 'string' },
} as const;

/** The same, for `--help`. */
export const CONNECTION_HELP = `  --server URL      the API server; a path /clusters/NAME chooses a cluster
  --secret TEXT     the deployment's BOOTSTRAP_SECRET (or the environment's)
  --ca FILE         the CA of the server's certificate, where it is not a public one
  --kubeconfig FILE instead of the secret: a kubeconfig with a token (default $KUBECONFIG, unless there is a --server);
                    --server then is another address of the same
`;

export interface ConnectionValues {
  server?: string;
  secret?: string;
  ca?: string;
  kubeconfig?: string;
}

export interface Connection {
  client: HttpClient;
  server: string;
  /** PEM; undefined where the machine's own CAs do. */
  ca: string | undefined;
}

/** What the command does is done in its name for so long, in seconds. */
const COMMAND_SECONDS = 900;

/** Connects, runs and disconnects. What the server refuses, and a server that is away, are UserErrors. */
export async function withConnection<T>(
  values: ConnectionValues,
  run: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { server, ca, token } = await place(values);
  const client = new HttpClient({ server, ...(ca === undefined ? {} : { ca }), token: () => token });
  try {
    return await run({ client, server, ca });
  } catch (error) {
    if (error instanceof StatusError)
      throw new UserError(`${server} refused: ${error.status.message ?? error.status.reason}`);
    if (error instanceof Error && 'code' in error)
      throw new UserError(`${server} cannot be reached: ${error.message}.`);
    throw error;
  } finally {
    client.close();
  }
}

type Place = { server: string; ca: string | undefined; token: string };

async function place(values: ConnectionValues): Promise<Place> {
  const found = await kubeconfigOf(values);
  if (found !== undefined) {
    const { file, token, ...rest } = found;
    if (token === undefined) throw nothingIn(file, 'server and token');
    return { ...rest, token };
  }
  const { server, secret, ca } = await deploymentOf(values);
  const request = { user: 'zeroplane', groups: ['system:masters'], ttlSeconds: COMMAND_SECONDS };
  return { server, ca, token: (await requestCredential(server, secret, request, ca)).token };
}

/**
 * The deployment that the options name, for what its secret alone may do. That of `npm start` lies beside the kubeconfig, and is taken
 * from there if the kubeconfig is of the same cluster. Throws a UserError where something is missing.
 */
export async function keeperOf(values: ConnectionValues): Promise<Deployment> {
  const found = await kubeconfigOf(values);
  if (found === undefined) return deploymentOf(values);
  const { server, ca, file } = found;
  const secret = values.secret || process.env['BOOTSTRAP_SECRET'] || (await secretBeside(file, ca));
  return { ...(await deploymentOf({ server, ...(secret === undefined ? {} : { secret }) })), ca };
}

/** What others are to be believed by is not this cluster's: its secret is not for them. */
async function secretBeside(kubeconfig: string, ca: string | undefined): Promise<string | undefined> {
  const folder = dirname(pathOf(kubeconfig));
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8').catch(() => '');
  const [own, secret] = await Promise.all([read('pki/ca.crt'), read('bootstrap-secret')]);
  return own.trim() !== '' && own.trim() === ca?.trim() ? secret.trim() || undefined : undefined;
}

type Found = Omit<Place, 'token'> & { token: string | undefined; file: string };

/** What the options' kubeconfig says, if they name one or the environment does. Throws a UserError for one that says nothing. */
async function kubeconfigOf(values: ConnectionValues): Promise<Found | undefined> {
  const file = values.kubeconfig ?? (values.server === undefined ? process.env['KUBECONFIG'] : undefined);
  if (file === undefined) return undefined;
  const given = values.server?.replace(/\/$/, '');
  const found = await fromKubeconfig(file, await readText(file));
  return { ...found, file, ...(given === undefined ? {} : { server: given }) };
}

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  clusters?: { name: string; cluster: Record<string, string | undefined> }[];
  users?: { name: string; user: { token?: string } }[];
}

async function fromKubeconfig(file: string, text: string): Promise<Omit<Found, 'file'>> {
  let config: Kubeconfig;
  try {
    config = (decodeYaml(text) ?? {}) as unknown as Kubeconfig;
  } catch {
    throw new UserError(`${file} is no kubeconfig: it is not YAML.`, 2);
  }
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const token = config.users?.find(({ name }) => name === context?.user)?.user.token;
  const server = cluster?.['server'];
  if (server === undefined) throw nothingIn(file, 'server');
  const data = cluster?.['certificate-authority-data'];
  const caFile = cluster?.['certificate-authority'];
  const ca = data !== undefined ? Buffer.from(data, 'base64').toString() : caFile && (await readText(caFile));
  return { server: server.replace(/\/$/, ''), ca: ca || undefined, token };
}

const nothingIn = (file: string, what: string): UserError =>
  new UserError(`${file} has no ${what} in its current context: give --server and --secret instead.`, 2);
