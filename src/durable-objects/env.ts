/** The Worker's bindings, as wrangler.toml declares them. */
import type { AuditBindings } from '../api/audit/auditor.ts';
import type { Cluster } from './cluster.ts';
import type { ControllerManager } from './controller-manager.ts';
import type { NodeSession } from './node-session.ts';
import type { ResourceStore } from './resource-store.ts';
import type { Scheduler } from './scheduler.ts';

export interface Env extends AuditBindings {
  STORE: DurableObjectNamespace<ResourceStore>;
  CLUSTER: DurableObjectNamespace<Cluster>;
  CONTROLLER_MANAGER: DurableObjectNamespace<ControllerManager>;
  SCHEDULER: DurableObjectNamespace<Scheduler>;
  NODE_SESSION: DurableObjectNamespace<NodeSession>;
  ASSETS: Fetcher;
  /** Another for each start of a local control plane. */
  STARTED?: string;
  /** `off`: the API alone, for replays and load tests. */
  CONTROLLERS: string;
  /** A secret: who holds it may mint credentials. */
  BOOTSTRAP_SECRET?: string;
  /** An AuthenticationConfiguration (apiserver.config.k8s.io/v1), as YAML or JSON. */
  AUTHENTICATION_CONFIG?: string;
  /** A secret: keys of 32 bytes in base64, separated by spaces; the first wraps what encrypts the databases, the others still unwrap. */
  ENCRYPTION_KEYS?: string;
  /** Resources that are encrypted when there are keys, as `secrets widgets.example.com`; Secrets where it is not set. */
  ENCRYPTED_RESOURCES?: string;
}
