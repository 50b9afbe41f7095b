/** What the Cluster object offers to the Worker and to its fellows. */
import type { ResourceId } from '../apimachinery/client.ts';
import type { RootCa } from '../controllers/controller.ts';
import type { CustomResourceDefinition } from '../generated/types/apiextensions.v1.ts';
import type { CertificateSigningRequestSpec } from '../generated/types/certificates.v1.ts';
import type { PolicyRulesWithSubjects } from '../generated/types/flowcontrol.v1.ts';
import type { Encryption } from '../store/encryption/keyring.ts';
import type { Failure, SubscriberRpc } from './rpc.ts';

/** A public key that verifies tokens, as JWK. */
export interface PublicKey {
  kid: string;
  kty: string;
  alg: string;
  use: string;
  crv?: string;
  x?: string;
  y?: string;
}

/** How a key stands, for people. */
export interface KeyState {
  kid: string;
  /** `verifies`: it signs no more. */
  state: 'next' | 'signs' | 'verifies';
  from: string;
  /** Empty: until it is retired. */
  until: string;
}

/** How a CA stands, for people. */
export interface AuthorityState {
  /** The start of the SHA-256 of its public key. */
  id: string;
  /** `trusted`: it signs no more. */
  state: 'next' | 'signs' | 'trusted';
  from: string;
  /** When its certificate ends. */
  until: string;
}

export interface NamespaceFact {
  name: string;
  phase: string;
  labels: Record<string, string>;
}

/** A rule of a Role or ClusterRole, as stored. */
export interface PolicyRule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}

export interface RoleFact {
  /** Empty for ClusterRoles. */
  namespace: string;
  name: string;
  rules: PolicyRule[];
}

export interface BindingFact {
  /** Empty for ClusterRoleBindings. */
  namespace: string;
  name: string;
  roleRef: { kind: string; name: string };
  subjects: Subject[];
}

/** A webhook configuration, an admission policy or a binding of one. */
export interface HookFact {
  /** Where it is kept. */
  id: ResourceId;
  name: string;
  resourceVersion: number;
  /** The policy that a binding binds. */
  policy?: string;
  /** What it may be asked about. */
  rules: { operations: string[]; resources: string[] }[];
}

export interface FlowSchemaFact {
  name: string;
  uid: string;
  /** The priority level's name. */
  level: string;
  precedence: number;
  /** `ByUser` or `ByNamespace`; absent: all that it matches is one flow. */
  distinguisher?: string;
  rules: PolicyRulesWithSubjects[];
}

export interface PriorityLevelFact {
  name: string;
  uid: string;
  exempt: boolean;
  shares: number;
  lendablePercent: number;
  /** Absent: there is no limit. */
  borrowingLimitPercent?: number;
  /** Absent: what has no seat is refused. */
  queuing?: { queues: number; handSize: number; queueLengthLimit: number };
}

/** Who is served when not all can be. */
export interface FlowFacts {
  schemas: FlowSchemaFact[];
  levels: PriorityLevelFact[];
}

/** A group-version that a Service inside the cluster serves. */
export interface RemoteServiceFact {
  group: string;
  version: string;
  service: { namespace: string; name: string; port: number };
  /** PEM in base64; empty: the nodes' own roots. */
  caBundle: string;
  insecure: boolean;
  groupPriority: number;
  versionPriority: number;
  available: boolean;
}

/** A node that was removed: what it was given until then is no good. */
export interface RemovedNode {
  name: string;
  /** Whole seconds since the epoch, as tokens count. */
  at: number;
}

/** All that is needed to judge a request, but for the object itself. */
export interface ClusterSnapshot {
  version: number;
  issuer: string;
  keys: PublicKey[];
  /** The ids of the cluster's CAs, the one that signs first: what others have signed is used no more. */
  authorities: string;
  namespaces: NamespaceFact[];
  roles: RoleFact[];
  bindings: BindingFact[];
  /** CustomResourceDefinitions without their schemas. */
  definitions: CustomResourceDefinition[];
  /** Namespaces that have ResourceQuotas. */
  quotas: string[];
  hooks: HookFact[];
  /** Of APIServices those that name a Service. */
  remoteServices: RemoteServiceFact[];
  removedNodes: RemovedNode[];
  flows: FlowFacts;
}

export interface MintRequest {
  user: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
  audiences?: string[];
  ttlSeconds: number;
  /** `kubernetes.io` claims of a ServiceAccount token. */
  serviceAccount?: {
    namespace: string;
    name: string;
    uid: string;
    pod?: { name: string; uid: string };
    node?: { name: string; uid: string };
    secret?: { name: string; uid: string };
  };
}

/** A token that a Secret is to hold. */
export interface LegacyRequest {
  namespace: string;
  account: string;
  /** Of the ServiceAccount. */
  uid: string;
  secret: string;
}

export interface Credential {
  token: string;
  expirationTimestamp: string;
}

/** A certificate and its key, PEM. */
export type KeyPair = { cert: string; key: string };

/** What a joining node is given. Certificates and keys are PEM. */
export interface NodeCredential extends Credential {
  /** All CAs of the cluster, the one that signs first. */
  ca: string;
  clusterDns: string;
  clusterDomain: string;
  serviceCidr: string;
  clusterCidr: string;
  /** For `https://kubernetes.default.svc` inside pods. */
  apiProxy: KeyPair;
}

/** A certificate as PEM, or why there is none. */
export type SignedRequest = { certificate: string } | { problem: string };

export interface ClusterRpc extends SubscriberRpc {
  /**
   * The snapshot, or null when `known` is its version still, or when there is no such cluster; `reload` reads everything anew. Creates the
   * default cluster on first use. Fails where its keys cannot be read.
   */
  snapshot(known: number, reload: boolean): Promise<ClusterSnapshot | Failure | null>;
  /** The cluster's CustomResourceDefinitions without their schemas. */
  definitions(): Promise<CustomResourceDefinition[]>;
  mint(request: MintRequest): Promise<Credential>;
  /** A token without an end, for a Secret of the type `kubernetes.io/service-account-token`. */
  mintLegacy(request: LegacyRequest): Promise<string>;
  /** The keys that sign and verify the cluster's tokens, newest first. */
  keys(): Promise<KeyState[]>;
  /** Makes a new signing key, which is shown at once and signs after `afterMs`. */
  rotateSigningKey(afterMs: number): Promise<void>;
  /** The CAs that the cluster trusts, newest first. */
  authorities(): Promise<AuthorityState[]>;
  /** Makes a new CA, which is trusted at once and signs after `afterMs`. */
  rotateAuthority(afterMs: number): Promise<void>;
  /**
   * Believes what a signing key, or a CA, has signed no longer. Fails with NotFound, or Conflict for the one that signs; null: done.
   */
  retireKey(id: string): Promise<Failure | null>;
  /** How the cluster's own keys are encrypted at rest, after making a new data key where `rotate` says so; null where they are not. */
  encryption(rotate: boolean): Promise<Encryption | null>;
  /** A token of the form `abcdef.0123456789abcdef`. */
  createBootstrapToken(ttlSeconds: number): Promise<Credential>;
  /** Whether a node may join with a bootstrap token now. */
  checkBootstrapToken(token: string): Promise<boolean>;
  /**
   * What a node joins with. `issuedAt`: of the credential that it renews, in seconds since the epoch; null where the node was removed
   * since, which the Worker may not know yet.
   */
  nodeCredential(nodeName: string, issuedAt?: number): Promise<NodeCredential | null>;
  /** Ends every credential that the node has been given. It may join anew. */
  removeNode(nodeName: string): Promise<void>;
  /** Why a request for a certificate is approved without anybody's word; undefined where somebody has to decide. */
  approval(spec: CertificateSigningRequestSpec): Promise<string | undefined>;
  /** Signs an approved request with the CA that signs now. Undefined: its signer is none of ours. */
  signRequest(spec: CertificateSigningRequestSpec): Promise<SignedRequest | undefined>;
  /** The certificate and key (PEM) with which extension API servers are called; lasts for half an hour at least. */
  frontProxy(): Promise<KeyPair>;
  /** The CAs that the cluster trusts. */
  rootCa(): Promise<RootCa>;
}
