/** What a controller is: names what it watches, and makes the world of one key as it should be. */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { APIService } from '../generated/types/apiregistration.v1.ts';
import type { CertificateSigningRequestSpec } from '../generated/types/certificates.v1.ts';
import type { EventType } from '../store/types.ts';
import type { EventRecorder } from './events.ts';

/** A queue key taken apart: `namespace/name`, or only a name (then `namespace` is empty). */
export interface ObjectRef {
  key: string;
  namespace: string;
  name: string;
}

/** A change of one object. The object is read on demand, once for all controllers. */
export interface ObjectChange extends ObjectRef {
  resource: ResourceId;
  type: EventType;
  /** The object as it is now; the last state of a deleted one where it is known. */
  object(): Promise<KubeObject | undefined>;
  /** What the key held before the change, where it is known. */
  previous?: KubeObject;
}

export interface Watch {
  resource: ResourceId;
  /** Keys of this controller that a change may concern. Too many only costs time. */
  keys(change: ObjectChange, client: Client): string[] | Promise<string[]>;
  /**
   * Whatever of a change matters for other changes is queued by itself, as where `keys` is {@link itself}: what is read of this resource
   * to map a change of another may then be as old as the last change that was heard of.
   */
  queues?: true;
}

export interface Requeue {
  /** Look at the key again after so long, even when nothing changes. */
  requeueAfterMs?: number;
}

/** The controller's own part of the queue, for keys that must come due at a time of their own. */
export interface Schedule {
  /** Queues the key; where it is queued already, the earlier time counts. */
  after(key: string, delayMs: number): void;
  /** Forgets a key that is not being worked on. Answers whether it was queued. */
  cancel(key: string): boolean;
}

/** Owner kinds and the resources in which dependents of theirs were ever seen; what the garbage collector searches. */
export interface OwnedKinds {
  /** `kind` is `<group>/<kind>`. */
  resourcesOwnedBy(kind: string): ResourceId[];
  learn(kind: string, resource: ResourceId): void;
}

export interface SecretTokenRequest {
  namespace: string;
  account: string;
  uid: string;
  secret: string;
}

/** The cluster's CA, as controllers may use it. */
export interface CertificateAuthority {
  /** Why a request is approved without anybody's word; undefined where somebody has to decide. */
  approval(spec: CertificateSigningRequestSpec): Promise<string | undefined>;
  /** The certificate (PEM) of an approved request, or why there is none. Undefined: its signer is none of ours. */
  sign(spec: CertificateSigningRequestSpec): Promise<{ certificate: string } | { problem: string } | undefined>;
}

/** The CAs that the cluster trusts. */
export interface RootCa {
  /** PEM, the one that signs first. */
  bundle: string;
  /** When that will be another, in ms since the epoch; absent: not before somebody rotates or retires one. */
  until?: number;
}

/** Asks an extension API server for the discovery document of its group-version: the answer's status, or why there was none. */
export type DiscoveryProbe = (service: APIService) => Promise<{ status: number } | { error: string }>;

/** A request for a path that an APIService's extension API server serves, in the controller's name; default: a GET. Nobody there is a 503. */
export type ExtensionCall = (
  service: APIService,
  path: string,
  method?: 'GET' | 'DELETE',
) => Promise<{ status: number; body: string }>;

export interface ControllerContext {
  /** Milliseconds since the epoch. */
  now(): number;
  events: EventRecorder;
  schedule: Schedule;
  owned: OwnedKinds;
  rootCa(): Promise<RootCa>;
  /** A token of a ServiceAccount for a Secret to hold. `uid`: the account's. */
  secretToken(request: SecretTokenRequest): Promise<string>;
  certificates: CertificateAuthority;
  probeDiscovery: DiscoveryProbe;
  askExtension: ExtensionCall;
  /** Pod addresses of the cluster; each node has a /24 of it. */
  clusterCidr: string;
  /** Whether the node's agent holds its session with the control plane. */
  nodeConnected(node: string): Promise<boolean>;
}

/** Level-based: `reconcile` is not told what happened, reads what is, and may be run at any time, any number of times. */
export interface Controller {
  /** Upstream's: `deployment-controller`. Also the source of its events, where no other is given. */
  readonly name: string;
  readonly eventSource?: string;
  /** Of kube-controller-manager unless said: what is part of the API server runs where the other controllers are off, too. */
  readonly partOf?: 'kube-apiserver';
  /** Under which name it writes; default: `kube-controller-manager`. */
  readonly fieldManager?: string;
  readonly watches: readonly Watch[];
  /** Watches whatever there is: stores that only such controllers watch are not asked before they first speak. */
  readonly everywhere?: true;
  /** A thrown error means: again, after the key's back-off. */
  reconcile(client: Client, ref: ObjectRef, context: ControllerContext): Promise<Requeue | undefined>;
  /** Keys to look at when the cluster's CAs are others. */
  holdsRootCa?(client: Client): Promise<string[]>;
  /** Once a minute: keys to look at without any change having happened. */
  tick?(client: Client, context: ControllerContext): Promise<string[]>;
  /** Keys to look at when the stores are asked what was missed: once a minute, but rarely, and `quiet`, while nothing changes. */
  resync?(client: Client, context: ControllerContext, quiet: boolean): Promise<string[]>;
}

/** Takes a key apart at its first slash. */
export function parseKey(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0
    ? { key, namespace: '', name: key }
    : { key, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `namespace/name`, or the name of a cluster-scoped object. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** For {@link Watch.keys}: the changed object itself. */
export const itself = (change: ObjectChange): string[] => [change.key];

/** For {@link Watch.keys}: the namespace of the changed object. */
export const itsNamespace = (change: ObjectChange): string[] => [change.namespace];

const CLOCKS_DIFFER_MS = 1000;

/** For a key that holds the CAs: to be looked at again when they will be others. */
export const untilNextCa = ({ until }: RootCa, { now }: Pick<ControllerContext, 'now'>): Requeue | undefined =>
  until === undefined ? undefined : { requeueAfterMs: Math.max(CLOCKS_DIFFER_MS, until - now()) };
