/** What the agent's parts share: the context each of them is started with, and what the kubelet offers to the others. */
import type { Pod } from '../src/generated/types/core.v1.ts';
import type { HttpClient } from './client.ts';
import type { Informers } from './informer.ts';
import type { Credential } from './join.ts';
import type { LogOptions } from './kubelet/logs.ts';
import type { CriClient } from './runtime/cri.ts';

/** Writes one line per call to the agent's standard error; `fields` follow the message as `key=value`. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What a node knows of its cluster. */
export interface ClusterInfo {
  /** Address of the cluster's DNS Service, such as `10.96.0.10`. */
  dns: string;
  /** Such as `cluster.local`. */
  domain: string;
  serviceCidr: string;
  /** All nodes' pods, such as `10.244.0.0/16`; empty when the server did not say. */
  clusterCidr?: string;
}

/** What the server has given to the node, and gives anew from time to time. */
export interface Credentials {
  /** What it has given last. */
  credential(): Credential;
  /** Asks for another now, not when it is due. */
  renew(): void;
  /** Calls `subscriber` for every other one. Answers with how to stop that. */
  subscribe(subscriber: (credential: Credential) => void): () => void;
}

/** What every part of the agent is started with. */
export interface AgentContext {
  client: HttpClient;
  credentials: Credentials;
  nodeName: string;
  /** The node's InternalIP. */
  nodeIp: string;
  /** Addresses of this node's pods, when the command line says; otherwise the Node's `spec.podCIDR`. */
  podCidr?: string;
  /** The agent's folder; see `paths.ts` for what lies where. */
  dataDir: string;
  log: Log;
  cluster: ClusterInfo;
  cri: CriClient;
  /** Shared informers: two parts that ask for the same resource share one watch. */
  informers: Informers;
}

/** What the kubelet offers to the tunnel and the streams. Unknown pods and containers throw a `StatusError`. */
export interface KubeletHandle {
  /** The CRI id of a running container; `container` may be empty when the pod has only one. */
  findContainer(namespace: string, pod: string, uid: string | undefined, container: string | undefined): string;
  /** The CRI id of the pod's ready sandbox. */
  findSandbox(namespace: string, pod: string, uid?: string): string;
  /** The container's log in chunks; see `LogOptions`. */
  readLogs(options: LogOptions): AsyncIterable<Buffer>;
  /** The pods of this node as the kubelet sees them, with their newest statuses. */
  pods(): Pod[];
  stop(options: { stopPods: boolean }): Promise<void>;
}

/** A started part of the agent. */
export interface Running {
  /** Ends it. `keep`: pods go on without the agent, and what they need of the kernel stays for them and the next agent. */
  stop(options?: { keep: boolean }): Promise<void>;
}
