/** The Cluster object: signing keys, CAs, and the snapshot that API Workers judge requests by. One per cluster. */
import { DurableObject } from 'cloudflare:workers';
import { bootstrapUser } from '../api/authentication/bootstrap-token.ts';
import { API_AUDIENCE } from '../api/authentication/tokens.ts';
import { AGENTS, NODE_PREFIX, NODES } from '../api/authentication/user.ts';
import { Authorizer } from '../api/authorization/authorizer.ts';
import { ensureObjects } from '../api/bootstrap/ensure.ts';
import {
  bootstrapObjects,
  CLUSTER_CIDR,
  CLUSTER_DOMAIN,
  DNS_SERVICE_IP,
  SERVICE_CIDR,
} from '../api/bootstrap/objects.ts';
import { issueApiProxy, issueFrontProxy, signRequest } from '../api/certificates/authority.ts';
import { examine, nodeRequestKinds } from '../api/certificates/signers.ts';
import { DEFAULT_CLUSTER } from '../api/request-info.ts';
import { bootstrapTokenSecret, NODE_GROUP, newBootstrapToken } from '../apimachinery/bootstrap-token.ts';
import { internalError, StatusError } from '../apimachinery/errors.ts';
import type { RootCa } from '../controllers/controller.ts';
import type { CustomResourceDefinition } from '../generated/types/apiextensions.v1.ts';
import type { CertificateSigningRequestSpec } from '../generated/types/certificates.v1.ts';
import type { Secret } from '../generated/types/core.v1.ts';
import type { Encryption, Keyring } from '../store/encryption/keyring.ts';
import { BadKeys } from '../store/encryption/root-keys.ts';
import { digestOf, FactReader, QUOTAS } from './cluster-facts.ts';
import type {
  AuthorityState,
  ClusterRpc,
  ClusterSnapshot,
  Credential,
  KeyPair,
  KeyState,
  LegacyRequest,
  MintRequest,
  NodeCredential,
  SignedRequest,
} from './cluster-rpc.ts';
import { keyringOf } from './encryption.ts';
import type { Env } from './env.ts';
import { Identity } from './identity.ts';
import { RemovedNodes } from './removed-nodes.ts';
import { Resync } from './resync.ts';
import type { Failure, Notification } from './rpc.ts';
import { SnapshotMaker } from './snapshot-maker.ts';
import { CLUSTER, StoreClient } from './store-client.ts';
import { surroundings } from './surroundings.ts';

/** A node credential lasts a week; an agent renews it when two thirds of that are over. */
const NODE_TTL_SECONDS = 7 * 24 * 3600;
/** How old a front proxy's certificate may be when it is given out: it lasts an hour. */
const FRONT_PROXY_MS = 20 * 60_000;
/** What storage holds while the controllers have not heard of the CAs that there are: their ids. */
const UNTOLD = 'untold-authorities';

export class Cluster extends DurableObject<Env> implements ClusterRpc {
  private readonly name: string;
  private readonly client: StoreClient;
  private readonly facts: FactReader;
  private readonly removed: RemovedNodes;
  private readonly snapshots: SnapshotMaker;
  private identity: Identity | undefined;
  private creating: Promise<Identity> | undefined;
  private bootstrapped = false;
  /** How often the snapshot was found to be old. */
  private heard = 0;
  private proxy: { at: number; by: string; pair: KeyPair } | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const around = surroundings(env);
    this.name = ctx.id.name ?? 'default';
    this.client = new StoreClient(around, this.name, CLUSTER);
    this.facts = new FactReader(this.client, around, this.name);
    this.removed = new RemovedNodes(ctx.storage.kv, NODE_TTL_SECONDS);
    this.snapshots = new SnapshotMaker(ctx.storage.kv, async () => {
      const { issuer, publicKeys: keys, authorityIds: authorities } = await this.ready();
      return { issuer, keys, authorities, ...(await this.facts.read()), removedNodes: this.removed.list() };
    });
  }

  async snapshot(known: number, reload: boolean): Promise<ClusterSnapshot | Failure | null> {
    if (!this.exists()) return null;
    try {
      return await this.snapshots.get(known, reload);
    } catch (error) {
      if (error instanceof BadKeys) return { status: internalError(error.message).status };
      throw error;
    }
  }

  async definitions(): Promise<CustomResourceDefinition[]> {
    return this.facts.definitions();
  }

  async mint(request: MintRequest): Promise<Credential> {
    const identity = await this.ready();
    // A removal is remembered no longer than that.
    const longest = request.user.startsWith(NODE_PREFIX) ? NODE_TTL_SECONDS : Number.POSITIVE_INFINITY;
    return identity.mint({ ...request, ttlSeconds: Math.min(request.ttlSeconds, longest) });
  }

  async mintLegacy(request: LegacyRequest): Promise<string> {
    return (await this.ready()).mintLegacy(request);
  }

  async keys(): Promise<KeyState[]> {
    return (await this.ready()).describeKeys();
  }

  async rotateSigningKey(afterMs: number): Promise<void> {
    await (await this.ready()).rotate(afterMs);
    this.snapshots.changed();
  }

  async authorities(): Promise<AuthorityState[]> {
    return (await this.ready()).describeAuthorities();
  }

  async rotateAuthority(afterMs: number): Promise<void> {
    const identity = await this.ready();
    await identity.rotateAuthority(afterMs);
    await this.authoritiesChanged(identity);
  }

  async retireKey(id: string): Promise<Failure | null> {
    const identity = await this.ready();
    const before = identity.authorityIds;
    try {
      identity.retire(id);
    } catch (error) {
      if (error instanceof StatusError) return { status: error.status };
      throw error;
    }
    this.snapshots.changed();
    if (identity.authorityIds !== before) await this.authoritiesChanged(identity);
    return null;
  }

  async encryption(rotate: boolean): Promise<Encryption | null> {
    return (await this.ready()).encryption(rotate);
  }

  async createBootstrapToken(ttlSeconds: number): Promise<Credential> {
    await this.ready();
    const token = newBootstrapToken();
    const expirationTimestamp = new Date(Date.now() + ttlSeconds * 1000).toISOString();
    await this.client.create('core/secrets', bootstrapTokenSecret(token, { expiration: expirationTimestamp }));
    return { token, expirationTimestamp };
  }

  async checkBootstrapToken(token: string): Promise<boolean> {
    if (!this.exists()) return false;
    await this.ready();
    const id = token.split('.')[0] as string;
    const secret = await this.client.get<Secret>('core/secrets', 'kube-system', `bootstrap-token-${id}`);
    const user = secret === undefined ? undefined : bootstrapUser(secret, token, Date.now());
    return user?.groups.includes(NODE_GROUP) === true;
  }

  async nodeCredential(nodeName: string, issuedAt = Number.POSITIVE_INFINITY): Promise<NodeCredential | null> {
    const { authority, rootCa } = await this.ready();
    if (issuedAt <= this.removed.at(nodeName)) return null;
    await this.removed.past(nodeName);
    const credential = await this.mint({
      user: NODE_PREFIX + nodeName,
      groups: [NODES, AGENTS],
      audiences: [API_AUDIENCE],
      ttlSeconds: NODE_TTL_SECONDS,
    });
    return {
      ...credential,
      ca: rootCa.bundle,
      clusterDns: DNS_SERVICE_IP,
      clusterDomain: CLUSTER_DOMAIN,
      serviceCidr: SERVICE_CIDR,
      clusterCidr: CLUSTER_CIDR,
      apiProxy: await issueApiProxy(authority),
    };
  }

  async removeNode(nodeName: string): Promise<void> {
    await this.ready();
    this.removed.add(nodeName);
    this.snapshots.changed();
  }

  async approval(spec: CertificateSigningRequestSpec): Promise<string | undefined> {
    const kinds = nodeRequestKinds(spec);
    if (kinds.length === 0) return undefined;
    const { roles, bindings } = await this.facts.read();
    const authorizer = new Authorizer(roles, bindings);
    const { username: name = '', uid = '', groups = [], extra = {} } = spec;
    const where = { isResource: true, group: 'certificates.k8s.io', namespace: '', name: '', path: '' };
    for (const subresource of kinds) {
      const asked = { ...where, verb: 'create', resource: 'certificatesigningrequests', subresource };
      const { allowed } = await authorizer.authorize({ name, uid, groups, extra }, asked);
      const own = subresource === 'selfnodeclient' ? 'self ' : '';
      if (allowed) return `Auto approving ${own}kubelet client certificate after SubjectAccessReview.`;
    }
    return undefined;
  }

  async signRequest(spec: CertificateSigningRequestSpec): Promise<SignedRequest | undefined> {
    const examined = examine(spec);
    if (examined?.problem !== undefined) return { problem: examined.problem };
    return examined && { certificate: await signRequest((await this.ready()).authority, spec) };
  }

  async frontProxy(): Promise<KeyPair> {
    const { authority } = await this.ready();
    const isFresh = this.proxy?.by === authority.id && Date.now() - this.proxy.at <= FRONT_PROXY_MS;
    if (this.proxy === undefined || !isFresh) {
      this.proxy = { at: Date.now(), by: authority.id, pair: await issueFrontProxy(authority) };
    }
    return this.proxy.pair;
  }

  async rootCa(): Promise<RootCa> {
    return (await this.ready()).rootCa;
  }

  notify({ store, notices }: Notification): Promise<void> {
    // Of quotas it matters only where there are any.
    if (store === QUOTAS && notices.every(({ type }) => type === 'MODIFIED')) return Promise.resolve();
    this.snapshots.changed();
    this.heard++;
    return Promise.resolve();
  }

  async tick(_cluster: string): Promise<void> {
    const identity = await this.ready();
    const resync = new Resync(this.ctx.storage.kv, this.env.STARTED);
    // Keys and CAs come and go by the clock alone.
    await resync.whenDue(
      () => JSON.stringify([this.heard, identity.publicKeys.map(({ kid }) => kid), identity.authorityIds]),
      async () => this.snapshots.changed(),
    );
    await this.tellControllers();
  }

  private async authoritiesChanged({ authorityIds }: Identity): Promise<void> {
    this.ctx.storage.kv.put(UNTOLD, authorityIds);
    this.snapshots.changed();
    await this.tellControllers();
  }

  /** That the CAs are others, unless they know. Never fails: they are told with the next tick then. */
  private async tellControllers(): Promise<void> {
    const { kv } = this.ctx.storage;
    const untold = kv.get<string>(UNTOLD);
    if (untold === undefined) return;
    try {
      await this.env.CONTROLLER_MANAGER.getByName(this.name).rootCaChanged(this.name);
      // Others may have come meanwhile.
      if (kv.get(UNTOLD) === untold) kv.delete(UNTOLD);
    } catch (error) {
      console.warn('the controllers have not heard of the new CAs:', String(error));
    }
  }

  /** The deployment's own cluster is there as soon as somebody asks; any other when who holds the secret mints its first credential. */
  private exists(): boolean {
    return this.ctx.id.name === DEFAULT_CLUSTER || Identity.exists(this.ctx.storage.kv);
  }

  /** The cluster's keys; on first use they are made, and the objects that every cluster has. */
  private async ready(): Promise<Identity> {
    if (this.identity !== undefined && this.bootstrapped) return this.identity;
    this.creating ??= this.create().finally(() => {
      this.creating = undefined;
    });
    return this.creating;
  }

  private async create(): Promise<Identity> {
    const { kv } = this.ctx.storage;
    const keyring = this.keyring();
    this.identity ??= (await Identity.load(kv, keyring)) ?? (await Identity.create(kv, keyring));
    const objects = bootstrapObjects(this.identity.rootCa.bundle);
    const digest = await digestOf(objects);
    // Another version of the Worker may bring more.
    if (kv.get('bootstrapped') !== digest) {
      await ensureObjects(this.client, objects);
      kv.put('bootstrapped', digest);
    }
    await this.tellControllers();
    this.bootstrapped = true;
    return this.identity;
  }

  private keyring(): Keyring | undefined {
    return keyringOf(this.env, this.ctx.storage, 'cluster', () => true);
  }
}
