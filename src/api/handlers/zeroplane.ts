/** Our own endpoints, below `/zeroplane/v1/`: credentials, keys, joining nodes, and the agents' sockets. */
import { decodeJwt } from 'jose';
import { BOOTSTRAP_TOKEN } from '../../apimachinery/bootstrap-token.ts';
import type { ResourceId } from '../../apimachinery/client.ts';
import { sha256 } from '../../apimachinery/digest.ts';
import { badRequest, forbidden, noSuchPath, unauthorized } from '../../apimachinery/errors.ts';
import { isDns1123Subdomain } from '../../apimachinery/names.ts';
import type { MintRequest } from '../../durable-objects/cluster-rpc.ts';
import { resourceById } from '../../resources/index.ts';
import { storeOf } from '../../resources/resource.ts';
import type { AuditNotes } from '../audit/notes.ts';
import { bearerToken } from '../authentication/authenticate.ts';
import { MASTERS, NODE_PREFIX, NODES, type User } from '../authentication/user.ts';
import { permit } from '../authorization/authorize.ts';
import type { Surroundings } from '../context.ts';
import { readBody } from '../decode.ts';
import type { RequestInfo } from '../request-info.ts';
import { respond } from '../respond.ts';
import type { Snapshot, SnapshotCache } from '../snapshot.ts';
import { keys } from './keys.ts';

const JSON_ONLY = { format: 'json' } as const;
const PREFIX = '/zeroplane/v1/';
const MAX_TTL = 10 * 365 * 24 * 3600;

type Identify = (snapshot: Snapshot) => User | Promise<User>;

/** Answers a request below `/zeroplane/v1/`. Each path has its own way of telling who asks. */
export async function zeroplane(
  request: Request,
  info: RequestInfo,
  around: Surroundings,
  identify: Identify,
  snapshots: SnapshotCache,
  audit: AuditNotes | undefined,
): Promise<Response> {
  const parts = info.path.slice(PREFIX.length).split('/');
  if (request.method === 'POST' && info.path === `${PREFIX}credentials`)
    return credentials(request, info, around, audit);
  if (parts[0] === 'keys') {
    await checkSecret(request, around);
    // Nor does asking for its keys bring a cluster about.
    await snapshots.get(info.cluster, around.cluster(info.cluster));
    return respond(await keys(request, info, around, parts[1]), JSON_ONLY);
  }
  const user = async (): Promise<User> => identify(await snapshots.get(info.cluster, around.cluster(info.cluster)));
  if (request.method === 'POST' && info.path === `${PREFIX}join`) return join(request, info, around, user);
  if (parts[0] === 'nodes' && (parts[2] === 'session' || parts[2] === 'streams')) {
    return nodeSocket(request, info, around, parts[1] as string, await user());
  }
  if (request.method === 'DELETE' && parts[0] === 'nodes' && parts.length === 2) {
    const snapshot = await snapshots.get(info.cluster, around.cluster(info.cluster));
    const asked = { ...NODE_DELETION, name: parts[1] as string };
    await permit(snapshot.authorizer, await identify(snapshot), asked);
    return removeNode(asked.name, info, around, snapshots);
  }
  const stats = /^stores\/([^/]+\/[^/]+)\/stats$/.exec(parts.join('/'))?.[1];
  if (request.method === 'GET' && stats !== undefined) return storeStats(stats, info, around, await user());
  throw noSuchPath();
}

const NODE_DELETION = {
  verb: 'delete',
  isResource: true,
  group: '',
  resource: 'nodes',
  subresource: '',
  namespace: '',
  path: '',
} as const;

/**
 * Ends a node's credentials and its session; all isolates know of it within a second. Its Node is left for who asks to delete. A node
 * that never was is removed, too: its machine may hold a credential without having made its Node.
 */
async function removeNode(
  node: string,
  info: RequestInfo,
  around: Surroundings,
  snapshots: SnapshotCache,
): Promise<Response> {
  const problems = isDns1123Subdomain(node);
  if (problems.length > 0) throw badRequest(`the node's name: ${problems[0]}`);
  await around.cluster(info.cluster).removeNode(node);
  snapshots.drop(info.cluster);
  await around.nodeSession(info.cluster, node).fetch(new Request('https://session/close'));
  return respond({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }, JSON_ONLY);
}

/** How a store fares, for measurements: rows written and watchers since it woke. Wakes it. */
async function storeStats(id: string, info: RequestInfo, around: Surroundings, user: User): Promise<Response> {
  const resource = resourceById(id as ResourceId);
  if (!user.groups.includes(MASTERS) || resource === undefined) throw noSuchPath();
  return respond({ ...(await around.store(info.cluster, storeOf(resource)).stats()) }, JSON_ONLY);
}

/** Throws Unauthorized for whoever does not hold the deployment's secret. */
async function checkSecret(request: Request, { bootstrapSecret }: Surroundings): Promise<void> {
  const given = bearerToken(request) ?? '';
  if (bootstrapSecret === '' || !(await sameText(given, bootstrapSecret))) throw unauthorized();
}

interface CredentialsBody {
  user?: string;
  uid?: string;
  groups?: string[];
  ttlSeconds?: number;
  bootstrap?: boolean;
}

/** Whoever holds the deployment's secret may mint any credential: it is the root of trust. */
async function credentials(
  request: Request,
  info: RequestInfo,
  around: Surroundings,
  audit: AuditNotes | undefined,
): Promise<Response> {
  await checkSecret(request, around);
  const body = await json<CredentialsBody>(request);
  const ttlSeconds = body.ttlSeconds ?? 3600;
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 60 || ttlSeconds > MAX_TTL) {
    throw badRequest(`ttlSeconds must be a whole number from 60 to ${MAX_TTL}`);
  }
  const cluster = around.cluster(info.cluster);
  audit?.annotate('zeroplane/credential-ttl', `${ttlSeconds}s`);
  if (body.bootstrap === true) audit?.annotate('zeroplane/credential-for', 'a bootstrap token');
  if (body.bootstrap === true) return respond({ ...(await cluster.createBootstrapToken(ttlSeconds)) }, JSON_ONLY, 201);
  if (typeof body.user !== 'string' || body.user === '') throw badRequest('user must be set');
  const groups = Array.isArray(body.groups) ? body.groups.filter((g) => typeof g === 'string') : [];
  audit?.annotate('zeroplane/credential-for', JSON.stringify({ user: body.user, groups }));
  const uid = typeof body.uid === 'string' ? { uid: body.uid } : {};
  const wanted: MintRequest = { user: body.user, ...uid, groups, ttlSeconds };
  return respond({ ...(await cluster.mint(wanted)) }, JSON_ONLY, 201);
}

/** Trades a bootstrap token for a node's credential, or renews the credential that a node has. */
async function join(
  request: Request,
  info: RequestInfo,
  around: Surroundings,
  user: () => Promise<User>,
): Promise<Response> {
  const { nodeName = '' } = await json<{ nodeName?: string }>(request);
  const problems = isDns1123Subdomain(nodeName);
  if (problems.length > 0) throw badRequest(`nodeName: ${problems[0]}`);
  const cluster = around.cluster(info.cluster);
  const token = bearerToken(request) ?? '';
  const isNew = BOOTSTRAP_TOKEN.test(token);
  const may = isNew ? await cluster.checkBootstrapToken(token) : (await user()).name === NODE_PREFIX + nodeName;
  const credential = may ? await cluster.nodeCredential(nodeName, isNew ? undefined : decodeJwt(token).iat) : null;
  if (credential === null) throw unauthorized();
  return respond({ ...credential }, JSON_ONLY, 201);
}

/** The agent's own socket, and the sockets it dials back with: a node reaches its own session only. */
function nodeSocket(
  request: Request,
  info: RequestInfo,
  around: Surroundings,
  node: string,
  user: User,
): Promise<Response> {
  if (user.name !== NODE_PREFIX + node || !user.groups.includes(NODES)) {
    throw forbidden({ group: '', resource: 'nodes' }, node, 'only the node itself may open its session');
  }
  return around.nodeSession(info.cluster, node).fetch(request);
}

async function json<T>(request: Request): Promise<T> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await readBody(request)));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as T;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest('the body must be a JSON object');
}

/** Compares digests, so that the time taken tells nothing of the secret. */
async function sameText(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(a), sha256(b)]);
  return left.every((byte, i) => byte === right[i]);
}
