/** The ResourceStore object: a thin shell over the store's core, one per cluster and resource. Nothing in it keeps it awake. */
import { DurableObject } from 'cloudflare:workers';
import { drizzle } from 'drizzle-orm/durable-sqlite';
import { migrate } from 'drizzle-orm/durable-sqlite/migrator';
import migrations from '../../migrations/resource-store/migrations.js';
import type { Demand } from '../api/admission/resource-quota/charge.ts';
import { chargeQuotas } from '../api/registry/charge.ts';
import { StatusError } from '../apimachinery/errors.ts';
import type { Encryption } from '../store/encryption/keyring.ts';
import { ResourceStore as Core } from '../store/store.ts';
import type { Change, CommitResult, Encoded, ListKind, ListQuery, ListResult, WatchQuery } from '../store/types.ts';
import type { Sink } from '../store/watch-hub.ts';
import { Decisions } from './decisions.ts';
import { encryptedStores, keyringOf } from './encryption.ts';
import type { Env } from './env.ts';
import { expiredEvents } from './event-expiry.ts';
import { GroupCommit } from './group-commit.ts';
import { Notifier, notice } from './notifier.ts';
import { Rewriter } from './rewrite.ts';
import type {
  Assignment,
  ChangeRequest,
  ChangesSince,
  Creation,
  Failure,
  ResourceStoreRpc,
  StoreStats,
} from './rpc.ts';
import { SqliteBackend } from './sqlite-backend.ts';

const EVENTS = 'core/events';
/** History is kept for this long, and this many changes of it in any case. */
const HISTORY_MS = 300_000;
const HISTORY_KEEP = 2000;
/** Of what is written all the time, and nobody resumes far back. */
const SHORT_HISTORY_KEEP = 500;
const SHORT_HISTORY = new Set([EVENTS, 'coordination.k8s.io/leases']);
/** Once in so many resourceVersions the store looks after itself: no timer may keep it awake, and what it counts itself it forgets asleep. */
const HOUSEKEEPING_EVERY = 256;
/** How often Events are looked through while there are any. */
const EXPIRY_EVERY_MS = 900_000;
/** What a Worker asks for the store's version with; the runtime answers without waking the store. */
const VERSION_PING = 'rv';

/** A call's answer may be 32 MiB; what is much smaller is faster in one piece. */
const MAX_RPC_BYTES = 8 << 20;

/** Who may bind many pods, in the store of pods. */
const BINDER = 'binder';

type Socket = WebSocket & Sink;

export class ResourceStore extends DurableObject<Env> implements ResourceStoreRpc {
  private readonly cluster: string;
  private readonly id: string;
  private readonly notifier: Notifier;
  private readonly wokenAt = Date.now();
  private readonly group = new GroupCommit();
  private backend!: SqliteBackend;
  private core!: Core<Socket>;
  private readonly decisions: Decisions;
  private expiryIsSet = false;
  /** Of a store that is encrypted, or was. */
  private rewriter: Rewriter | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const name = ctx.id.name ?? '';
    const slash = name.indexOf('/');
    this.id = name.slice(slash + 1);
    this.cluster = name.slice(0, slash);
    this.notifier = new Notifier(env, this.cluster, this.id);
    this.decisions = new Decisions(env, this.cluster, this.id, () => this.core.rows());
    void ctx.blockConcurrencyWhile(async () => {
      const db = drizzle(ctx.storage);
      await migrate(db, migrations);
      const keyring = keyringOf(env, ctx.storage, this.id, (given) => encryptedStores(given).includes(this.id));
      this.open(new SqliteBackend(ctx.storage, db, keyring));
      if (keyring === undefined) return;
      this.rewriter = new Rewriter(ctx.storage, keyring);
      if (!keyring.isSettled) await this.rewriteSoon();
    });
  }

  async get(key: string): Promise<string | null> {
    return this.core.get(key);
  }

  async getMany(keys: string[]): Promise<(string | null)[]> {
    return keys.map((key) => this.core.get(key));
  }

  async list(query: ListQuery): Promise<ListResult> {
    return this.core.list(query);
  }

  async listBody(query: ListQuery, kind: ListKind): Promise<Uint8Array | ReadableStream | Failure> {
    const body = this.core.listBody(query, kind);
    if ('status' in body || body.byteLength <= MAX_RPC_BYTES) return body;
    return new Blob([body as Uint8Array<ArrayBuffer>]).stream();
  }

  async create(key: string, object: Encoded, dryRun: boolean): Promise<CommitResult> {
    await this.group.turn();
    return this.core.commit(key, this.decisions.creation({ key, object, dryRun }));
  }

  async createMany(creations: readonly Creation[]): Promise<CommitResult[]> {
    await this.group.turn();
    return this.core.commitMany(
      creations.map((creation) => ({ key: creation.key, decide: this.decisions.creation(creation) })),
    );
  }

  async change(key: string, request: ChangeRequest): Promise<CommitResult> {
    const custom = await this.decisions.customOf(request);
    await this.group.turn();
    return this.guarded(() => this.core.commit(key, this.decisions.change(key, request, custom)));
  }

  async changeMany(changes: { key: string; request: ChangeRequest }[]): Promise<CommitResult[]> {
    const [first] = changes;
    const custom = first === undefined ? undefined : await this.decisions.customOf(first.request);
    return this.core.commitMany(
      changes.map(({ key, request }) => ({ key, decide: this.decisions.change(key, request, custom) })),
    );
  }

  async claimBindings(session: string): Promise<void> {
    this.ctx.storage.kv.put(BINDER, session);
  }

  async bindMany(
    session: string,
    bindings: readonly ({ key: string } & Assignment)[],
  ): Promise<({ resourceVersion: number } | Failure)[] | undefined> {
    if (this.ctx.storage.kv.get(BINDER) !== session) return undefined;
    const results = await this.changeMany(
      bindings.map(({ key, ...binding }) => ({ key, request: { do: 'bind', ...binding, dryRun: false } })),
    );
    // The texts are of no use to the scheduler.
    return results.map((result) => ('status' in result ? result : { resourceVersion: result.resourceVersion }));
  }

  async deleteCollection(query: ListQuery, request: ChangeRequest & { do: 'delete' }): Promise<ListResult> {
    const custom = await this.decisions.customOf(request);
    return this.guarded(() => this.core.changeSelected(query, (key) => this.decisions.change(key, request, custom)));
  }

  async charge(namespace: string, demand: Demand, dryRun: boolean): Promise<{ charged: number } | Failure> {
    await this.group.turn();
    return this.guarded(() => chargeQuotas(this.core, namespace, demand, dryRun));
  }

  async changesSince(resourceVersion: number): Promise<ChangesSince> {
    const changes = this.core.changesSince(resourceVersion);
    return {
      notices: (changes ?? []).map(notice),
      resourceVersion: this.core.resourceVersion,
      expired: changes === undefined,
    };
  }

  async endWatches(): Promise<void> {
    this.core.hub.end();
  }

  async stats(): Promise<StoreStats> {
    const { rowsWritten } = this.backend;
    return { rowsWritten, wokenAt: this.wokenAt, watchers: this.core.hub.size };
  }

  async encryption(rotate: boolean): Promise<Encryption | null> {
    if (this.rewriter === undefined) return null;
    if (rotate) {
      this.rewriter.rotate();
      await this.rewriteSoon();
    }
    return this.rewriter.keyring.describe();
  }

  /** Rewrites some of what is sealed under another key than the newest, and drops Events whose time is over. */
  override async alarm(): Promise<void> {
    if (this.rewriter?.step()) await this.rewriteSoon();
    if (this.id === EVENTS) await this.expire();
  }

  private async expire(): Promise<void> {
    this.expiryIsSet = false;
    const expired = expiredEvents(this.core.rows(), Date.now());
    this.core.commitMany(expired.map((key) => ({ key, decide: () => ({ do: 'delete' }) })));
    this.compact();
    if (!this.core.rows().next().done) await this.setExpiry();
  }

  /** Opens a watch: a `WatchQuery` stands in the header `x-watch`. 413 where it is too long to be remembered. */
  override async fetch(request: Request): Promise<Response> {
    const query = JSON.parse(decodeURIComponent(request.headers.get('x-watch') ?? '{}')) as WatchQuery;
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    try {
      server.serializeAttachment(query);
    } catch {
      // The runtime keeps no more than 16 KiB beside a sleeping store's socket.
      server.close(1009);
      return new Response(null, { status: 413 });
    }
    this.core.watch(server as Socket, query);
    this.announce();
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(): Promise<void> {
    // Watchers have nothing to say but the ping, which the runtime answers.
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    this.core.hub.remove(socket as Socket);
    socket.close();
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.core.hub.remove(socket as Socket);
  }

  private open(backend: SqliteBackend): void {
    this.backend = backend;
    this.core = new Core<Socket>(backend, {
      resource: this.decisions.resource,
      onCommit: (changes) => this.committed(changes),
      pace: this.group,
    });
    for (const socket of this.ctx.getWebSockets()) {
      this.core.hub.restore(socket as Socket, socket.deserializeAttachment() as WatchQuery);
    }
    this.announce();
  }

  private committed(changes: readonly Change[]): void {
    this.decisions.observe(changes);
    this.announce();
    this.notifier.notify(changes);
    const { resourceVersion } = this.core;
    if (resourceVersion % HOUSEKEEPING_EVERY < changes.length) this.compact();
    const grows = changes.some(({ type }) => type !== 'DELETED');
    if (this.id === EVENTS && grows && !this.expiryIsSet) void this.setExpiry();
  }

  /** Lets the runtime tell watchers the store's version while the store sleeps. */
  private announce(): void {
    if (this.core.hub.size === 0) return;
    this.ctx.setWebSocketAutoResponse(
      new WebSocketRequestResponsePair(VERSION_PING, String(this.core.resourceVersion)),
    );
  }

  private compact(): void {
    this.core.compact(HISTORY_MS, SHORT_HISTORY.has(this.id) ? SHORT_HISTORY_KEEP : HISTORY_KEEP);
  }

  /** By the alarm: it outlives an eviction, and lets requests through between two steps. */
  private async rewriteSoon(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** A pending alarm lets the store sleep; when there are no Events any more, none is set. */
  private async setExpiry(): Promise<void> {
    this.expiryIsSet = true;
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + EXPIRY_EVERY_MS);
  }

  private guarded<T>(run: () => T): T | { status: StatusError['status'] } {
    try {
      return run();
    } catch (error) {
      if (error instanceof StatusError) return { status: error.status };
      throw error;
    }
  }
}
