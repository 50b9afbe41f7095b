/** What the API server needs of its surroundings, and what one request carries through its middleware. */
import type { ResourceId } from '../apimachinery/client.ts';
import type { ClusterRpc } from '../durable-objects/cluster-rpc.ts';
import type { ResourceStoreRpc } from '../durable-objects/rpc.ts';
import type { AuditNotes } from './audit/notes.ts';
import type { Authenticator } from './authentication/authenticate.ts';
import type { External } from './authentication/oidc/index.ts';
import type { User } from './authentication/user.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import type { Flow } from './flowcontrol/flows.ts';
import type { RequestInfo } from './request-info.ts';
import type { Snapshot } from './snapshot.ts';

/** A store as the Worker reaches it: its methods, and `fetch` for watches. */
export type Store = ResourceStoreRpc & { fetch(request: Request): Promise<Response> };

/** A NodeSession as the Worker reaches it. */
export interface Fetching {
  fetch(request: Request): Promise<Response>;
}

/** The surroundings: Durable Objects by name, static files, settings. In tests, anything that looks alike. */
export interface Surroundings {
  store(cluster: string, id: ResourceId): Store;
  /** Where new objects of a store go, when that is not the store itself. */
  creator?(cluster: string, id: ResourceId): Pick<Store, 'create'>;
  cluster(cluster: string): ClusterRpc;
  nodeSession(cluster: string, node: string): Fetching;
  assets: Fetching;
  /** Mints credentials; empty: nobody can. */
  bootstrapSecret: string;
  /** Other issuers whose tokens are believed, and how far nobody's requests go. */
  external?: External | undefined;
  /** The stores that are encrypted at rest. */
  encryptedStores: readonly ResourceId[];
}

/** What keeps a request alive after its answer, or its client, has gone: a Worker's `ExecutionContext`. */
export interface Execution {
  waitUntil(pending: Promise<unknown>): void;
}

/** Who wants something done, and where. */
export interface Requester {
  info: RequestInfo;
  user: User;
  around: Surroundings;
  /** Texts for `Warning` headers. */
  warnings: string[];
  /** Controllers, whose writes come from inside the cluster, have none. */
  snapshot?: Snapshot;
  /** What webhooks and policies need of one, where there is none. */
  rules?: Rules;
  /** Absent where nothing is noted down. */
  audit?: AuditNotes | undefined;
}

export type Rules = Pick<Snapshot, 'hooks' | 'authorizer' | 'custom'>;

/** One request after authentication. */
export interface Context extends Requester {
  request: Request;
  url: URL;
  snapshot: Snapshot;
  authenticator: Authenticator;
  authorizer: Authorizer;
  /** By which it is served; what stays open has none. */
  flow?: Flow;
}
