/** The Cluster object: signing keys, the CA, and the snapshot that API Workers judge requests by. One per cluster. */
import { DurableObject } from 'cloudflare:workers';
import { HOOK_STORES, hookFact } from '../api/admission/hooks/facts.ts';
import { remoteServiceFact } from '../api/aggregation/remote-services.ts';
import { bootstrapUser } from '../api/authentication/bootstrap-token.ts';
import { API_AUDIENCE } from '../api/authentication/tokens.ts';
import { AGENTS, NODE_PREFIX, NODES } from '../api/authentication/user.ts';
import { Authorizer } from '../api/authorization/authorizer.ts';
import { ensureObjects, reconcilePolicy } from '../api/bootstrap/ensure.ts';
import {
  bootstrapObjects,
  CLUSTER_CIDR,
  CLUSTER_DOMAIN,
  DNS_SERVICE_IP,
  SERVICE_CIDR,
} from '../api/bootstrap/objects.ts';
import { issueApiProxy, issueFrontProxy, type KeyPair, signRequest } from '../api/certificates/authority.ts';
import { examine, nodeRequestKinds } from '../api/certificates/signers.ts';
import { FLOW_SCHEMAS, flowSchemaFact, PRIORITY_LEVELS, priorityLevelFact } from '../api/flowcontrol/facts.ts';
import { DEFINITIONS, withoutSchemas } from '../api/registry/definitions.ts';
import { DEFAULT_CLUSTER } from '../api/request-info.ts';
import { bootstrapTokenSecret, newBootstrapToken } from '../apimachinery/bootstrap-token.ts';
import type { ResourceId } from '../apimachinery/client.ts';
import { internalError, StatusError } from '../apimachinery/errors.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../generated/types/apiextensions.v1.ts';
import type { APIService } from '../generated/types/apiregistration.v1.ts';
import type { CertificateSigningRequestSpec } from '../generated/types/certificates.v1.ts';
import type { Secret } from '../generated/types/core.v1.ts';
import type { Encryption, Keyring } from '../store/encryption/keyring.ts';
import { BadKeys } from '../store/encryption/root-keys.ts';
import {
  type Binding,
  bindingFact,
  digestOf,
  type Namespace,
  namespaceFact,
  type Role,
  roleFact,
} from './cluster-facts.ts';
import type {
  ClusterRpc,
  ClusterSnapshot,
  Credential,
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
import type { Failure, Notification } from './rpc.ts';
import { CLUSTER, StoreClient } from './store-client.ts';
import { surroundings } from './surroundings.ts';

/** A node credential lasts a week; an agent renews it when two thirds of that are over. */
const NODE_TTL_SECONDS = 7 * 24 * 3600;
const RBAC = 'rbac.authorization.k8s.io';
const QUOTAS = 'core/resourcequotas';
const API_SERVICES = 'apiregistration.k8s.io/apiservices';
/** How old a front proxy's certificate may be when it is given out: it lasts an hour. */
const FRONT_PROXY_MS = 20 * 60_000;
const IN_SNAPSHOT: readonly ResourceId[] = [
  'core/namespaces',
  QUOTAS,
  API_SERVICES,
  ...['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((name) => `${RBAC}/${name}`),
];

type Facts = Omit<ClusterSnapshot, 'version' | 'issuer' | 'keys'>;

export class Cluster extends DurableObject<Env> implements ClusterRpc {
  private readonly client: StoreClient;
  private readonly removed: RemovedNodes;
  private identity: Identity | undefined;
  private creating: Promise<Identity> | undefined;
  private snapshotNow: ClusterSnapshot | undefined;
  private dirty = true;
  private bootstrapped = false;
  private proxy: { at: number; pair: KeyPair } | undefined;
  /** Since this object woke. */
  private policyIsWhole = false;
  /** Facts about objects that change seldom, by store. */
  private readonly kept = new Map<ResourceId, Promise<readonly unknown[]>>();
  private known: { at: number; list: CustomResourceDefinition[] } | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.client = new StoreClient(surroundings(env), ctx.id.name ?? 'default', CLUSTER);
    this.removed = new RemovedNodes(ctx.storage.kv, NODE_TTL_SECONDS);
  }

  async snapshot(known: number, reload: boolean): Promise<ClusterSnapshot | Failure | null> {
    if (!this.exists()) return null;
    try {
      return await this.snapshotOf(await this.ready(), known, reload);
    } catch (error) {
      if (error instanceof BadKeys) return { status: internalError(error.message).status };
      throw error;
    }
  }

  private async snapshotOf(identity: Identity, known: number, reload: boolean): Promise<ClusterSnapshot | null> {
    if (this.dirty || reload || this.snapshotNow === undefined) {
      // Cleared first: what changes while the stores are read makes it dirty again.
      this.dirty = false;
      if (reload) this.kept.clear();
      const facts = await this.read();
      const before = this.snapshotNow;
      const next = { issuer: identity.issuer, keys: identity.publicKeys, ...facts };
      const same =
        before !== undefined && JSON.stringify({ ...before, version: 0 }) === JSON.stringify({ version: 0, ...next });
      if (!same) this.snapshotNow = { version: Math.max(Date.now(), (before?.version ?? 0) + 1), ...next };
    }
    const current = this.snapshotNow as ClusterSnapshot;
    return current.version === known ? null : current;
  }

  async definitions(): Promise<CustomResourceDefinition[]> {
    return this.readDefinitions();
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
    this.dirty = true;
  }

  async retireKey(kid: string): Promise<Failure | null> {
    const identity = await this.ready();
    try {
      identity.retire(kid);
    } catch (error) {
      if (error instanceof StatusError) return { status: error.status };
      throw error;
    }
    this.dirty = true;
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
    return secret !== undefined && bootstrapUser(secret, token, Date.now()) !== undefined;
  }

  async nodeCredential(nodeName: string, issuedAt = Number.POSITIVE_INFINITY): Promise<NodeCredential | null> {
    const { authority } = await this.ready();
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
      ca: authority.certificate,
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
    this.dirty = true;
  }

  async approval(spec: CertificateSigningRequestSpec): Promise<string | undefined> {
    const kinds = nodeRequestKinds(spec);
    if (kinds.length === 0) return undefined;
    const { roles, bindings } = await this.read();
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
    if (this.proxy === undefined || Date.now() - this.proxy.at > FRONT_PROXY_MS) {
      this.proxy = { at: Date.now(), pair: await issueFrontProxy(authority) };
    }
    return this.proxy.pair;
  }

  async rootCa(): Promise<string> {
    return (await this.ready()).authority.certificate;
  }

  notify({ store, notices }: Notification): Promise<void> {
    // Of quotas it matters only where there are any.
    if (store === QUOTAS && notices.every(({ type }) => type === 'MODIFIED')) return Promise.resolve();
    this.dirty = true;
    this.kept.delete(store);
    return Promise.resolve();
  }

  tick(_cluster: string): Promise<void> {
    this.dirty = true;
    this.kept.clear();
    return Promise.resolve();
  }

  /** The deployment's own cluster is there as soon as somebody asks; any other when who holds the secret mints its first credential. */
  private exists(): boolean {
    return this.ctx.id.name === DEFAULT_CLUSTER || Identity.exists(this.ctx.storage.kv);
  }

  /** The cluster's keys; on first use they are made, and the objects that every cluster has. */
  private async ready(): Promise<Identity> {
    this.identity ??= Identity.load(this.ctx.storage.kv, this.keyring());
    if (this.identity !== undefined && this.bootstrapped) return this.identity;
    this.creating ??= this.create().finally(() => {
      this.creating = undefined;
    });
    return this.creating;
  }

  private async create(): Promise<Identity> {
    this.identity ??= await Identity.create(this.ctx.storage.kv, this.keyring());
    const objects = bootstrapObjects(this.identity.authority.certificate);
    const digest = await digestOf(objects);
    // Another version of the Worker may bring more.
    if (this.ctx.storage.kv.get('bootstrapped') !== digest) {
      await ensureObjects(this.client, objects);
      this.ctx.storage.kv.put('bootstrapped', digest);
    }
    this.bootstrapped = true;
    return this.identity;
  }

  private keyring(): Keyring | undefined {
    return keyringOf(this.env, this.ctx.storage, 'cluster', () => true);
  }

  /** What the snapshot is made of. The first time since the object woke, the default policy is made whole on the way: it is read anyway. */
  private async read(): Promise<Facts> {
    let lists = await this.lists();
    if (!this.policyIsWhole) {
      if (await reconcilePolicy(this.client, lists)) lists = await this.lists();
      this.policyIsWhole = true;
    }
    const all = <T extends KubeObject>(...ids: ResourceId[]): T[] => ids.flatMap((id) => (lists.get(id) ?? []) as T[]);
    const [hooks, schemas, levels] = await Promise.all([
      Promise.all(HOOK_STORES.map((id) => this.keep(id, (object) => hookFact(id, object)))),
      this.keep(FLOW_SCHEMAS, flowSchemaFact),
      this.keep(PRIORITY_LEVELS, priorityLevelFact),
    ]);
    return {
      namespaces: all<Namespace>('core/namespaces').map(namespaceFact),
      roles: all<Role>(`${RBAC}/roles`, `${RBAC}/clusterroles`).map(roleFact),
      bindings: all<Binding>(`${RBAC}/rolebindings`, `${RBAC}/clusterrolebindings`).map(bindingFact),
      definitions: await this.readDefinitions(),
      hooks: hooks.flat(),
      quotas: [...new Set(all(QUOTAS).map(({ metadata }) => metadata.namespace ?? ''))].sort(),
      remoteServices: all<APIService>(API_SERVICES).flatMap((service) => remoteServiceFact(service) ?? []),
      removedNodes: this.removed.list(),
      flows: { schemas, levels },
    };
  }

  /** Definitions are many and large: they are listed again only when one has changed. */
  private async readDefinitions(): Promise<CustomResourceDefinition[]> {
    const { known } = this;
    if (known !== undefined) {
      const store = surroundings(this.env).store(this.ctx.id.name ?? 'default', DEFINITIONS);
      const { notices, expired } = await store.changesSince(known.at);
      if (notices.length === 0 && !expired) return known.list;
    }
    const { resourceVersion, items } = await this.client.list(DEFINITIONS);
    this.known = { at: Number(resourceVersion), list: items.map(withoutSchemas) };
    return this.known.list;
  }

  /** The facts about a store's objects; they are listed again only when it has said that one has changed. */
  private keep<T>(id: ResourceId, fact: (object: KubeObject) => T): Promise<T[]> {
    const known = this.kept.get(id);
    if (known !== undefined) return known as Promise<T[]>;
    // Known before it is read: what changes meanwhile makes it unknown again.
    const reading = this.client.list(id).then(({ items }) => items.map(fact));
    this.kept.set(id, reading);
    reading.catch(() => this.kept.delete(id));
    return reading;
  }

  private async lists(): Promise<Map<ResourceId, readonly KubeObject[]>> {
    const lists = await Promise.all(IN_SNAPSHOT.map((id) => this.client.list(id)));
    return new Map(IN_SNAPSHOT.map((id, index) => [id, lists[index]?.items ?? []]));
  }
}
