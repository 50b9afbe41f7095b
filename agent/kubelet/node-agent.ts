/** Registers the node, renews its Lease, and reports its status: when it changes, and every five minutes. */
import { findCondition } from '../../src/apimachinery/conditions.ts';
import { isReason } from '../../src/apimachinery/errors.ts';
import { type Json, microNow } from '../../src/apimachinery/meta.ts';
import type { Lease } from '../../src/generated/types/coordination.v1.ts';
import type { Node, NodeStatus } from '../../src/generated/types/core.v1.ts';
import { delay } from '../informer.ts';
import type { AgentContext, Running } from '../types.ts';
import type { EventRecorder } from './events.ts';
import { type Capacity, pressure } from './machine.ts';
import { type NodeFacts, newNode, nodeLabels, nodeStatus } from './node-status.ts';

const LEASES = 'coordination.k8s.io/leases';
const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const CHECK_MS = 10_000;
/** While the node is not fit for pods, it looks more often. */
const UNFIT_CHECK_MS = 300;
const REPORT_MS = 5 * 60_000;
const RETRY_MS = 1000;
const MAX_IMAGES = 50;

export interface NodeAgentOptions {
  context: AgentContext;
  capacity: Capacity;
  labels: Record<string, string>;
  events: EventRecorder;
  /** Why pods cannot run; undefined when they can. */
  problem: () => Promise<string | undefined>;
}

export class NodeAgent implements Running {
  readonly #options: NodeAgentOptions;
  readonly #abort = new AbortController();
  readonly #done: Promise<unknown>;
  readonly #unsubscribe: () => void;
  #node: Node | undefined;
  #wake = new AbortController();
  #reportedAt = 0;
  #fit = false;
  #lease: Lease | undefined;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    const { informers, nodeName } = options.context;
    const own = informers.get<Node>('core/nodes', { fieldSelector: `metadata.name=${nodeName}` });
    this.#unsubscribe = own.subscribe(({ type, object }) => {
      if (type !== 'DELETED') this.#seen(object);
    });
    this.#done = Promise.all([
      this.#forever(
        () => (this.#fit ? CHECK_MS : UNFIT_CHECK_MS),
        () => this.#sync(),
      ),
      this.#forever(
        () => RENEW_MS,
        () => this.#renew(),
      ),
    ]);
  }

  /** The Node as last seen. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** The Node as it is; as last seen where it cannot be read. */
  async refresh(): Promise<Node | undefined> {
    const { client, nodeName } = this.#options.context;
    try {
      const node = await client.get<Node>('core/nodes', '', nodeName);
      if (node !== undefined && this.#node !== undefined) this.#node = node;
    } catch (error) {
      this.#options.context.log.warn('the node could not be read', { error });
    }
    return this.#node;
  }

  /** Something that the status tells of has changed. */
  check(): void {
    this.#wake.abort();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#abort.abort();
    this.#wake.abort();
    await this.#done;
  }

  #seen(node: Node): void {
    // What was written or read here may be newer.
    if (this.#node === undefined || versionOf(node) < versionOf(this.#node)) return;
    this.#node = node;
    // The control plane has lost sight of this node, and believes it dead: it is told otherwise at once.
    if (findCondition(node.status?.conditions, 'Ready')?.status === 'Unknown') this.check();
  }

  async #forever(everyMs: () => number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      let wait = RETRY_MS;
      try {
        await work();
        wait = everyMs();
      } catch (error) {
        if (!signal.aborted) this.#options.context.log.warn('node update failed, trying again', { error });
      }
      await delay(wait, AbortSignal.any([signal, this.#wake.signal]));
      if (this.#wake.signal.aborted && !signal.aborted) this.#wake = new AbortController();
    }
  }

  async #facts(): Promise<NodeFacts> {
    const { context, capacity, problem } = this.#options;
    const [images, version, found] = await Promise.all([
      context.cri.listImages().catch(() => []),
      context.cri.version().catch(() => undefined),
      problem(),
    ]);
    return {
      name: context.nodeName,
      ip: context.nodeIp,
      capacity,
      pressure: await pressure(context.dataDir),
      problem: found,
      images: images
        .map(({ id, repoTags, repoDigests, size }) => ({
          names: repoTags.length + repoDigests.length > 0 ? [...repoDigests, ...repoTags] : [id],
          sizeBytes: Number(size),
        }))
        .sort((a, b) => b.sizeBytes - a.sizeBytes)
        .slice(0, MAX_IMAGES),
      runtimeVersion: version === undefined ? '' : `${version.runtimeName}://${version.runtimeVersion}`,
    };
  }

  async #sync(): Promise<void> {
    const { client, nodeName } = this.#options.context;
    const facts = await this.#facts();
    this.#fit = facts.problem === undefined;
    if (this.#node === undefined) {
      this.#node = await this.#register(facts);
      this.#options.events.record(this.#node, 'Normal', 'Starting', 'Starting kubelet.');
    }
    const status = nodeStatus(facts, this.#node.status);
    const due = Date.now() - this.#reportedAt >= REPORT_MS;
    if (!due && !changed(this.#node.status, status)) return;
    try {
      const patch = { status } as unknown as Json;
      this.#node = await client.patch<Node>('core/nodes', '', nodeName, 'strategic', patch, 'status');
      this.#reportedAt = Date.now();
    } catch (error) {
      if (isReason(error, 'NotFound')) this.#node = undefined;
      throw error;
    }
  }

  /** Creates the Node, or adopts the one that is there and gives it the labels that it should have. */
  async #register(facts: NodeFacts): Promise<Node> {
    const { context, labels } = this.#options;
    const { client, nodeName } = context;
    const existing = await client.get<Node>('core/nodes', '', nodeName);
    if (existing === undefined) return client.create<Node>('core/nodes', newNode(facts, labels));
    const wanted = { ...nodeLabels(nodeName), ...labels };
    const has = existing.metadata.labels ?? {};
    if (Object.entries(wanted).every(([key, value]) => has[key] === value)) return existing;
    return client.patch<Node>('core/nodes', '', nodeName, 'merge', { metadata: { labels: wanted } });
  }

  async #renew(): Promise<void> {
    const { client, nodeName } = this.#options.context;
    if (this.#node === undefined) {
      await delay(RETRY_MS / 4, this.#abort.signal);
      if (this.#node === undefined) return;
    }
    const renewTime = microNow();
    this.#lease ??= await client.get<Lease>(LEASES, LEASE_NAMESPACE, nodeName);
    if (this.#lease === undefined) {
      const { name, uid = '' } = this.#node.metadata;
      this.#lease = await client.create<Lease>(LEASES, {
        kind: 'Lease',
        apiVersion: 'coordination.k8s.io/v1',
        metadata: {
          name: nodeName,
          namespace: LEASE_NAMESPACE,
          ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
        },
        spec: { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime },
      });
      return;
    }
    try {
      const spec = { ...this.#lease.spec, holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime };
      this.#lease = await client.update<Lease>(LEASES, { ...this.#lease, spec });
    } catch (error) {
      this.#lease = undefined;
      throw error;
    }
  }
}

const versionOf = ({ metadata }: Node): number => Number(metadata.resourceVersion ?? 0);

/** Whether anything but heartbeats differs. */
function changed(old: NodeStatus | undefined, now: NodeStatus): boolean {
  if (old === undefined) return true;
  const essence = (status: NodeStatus): string =>
    JSON.stringify([
      Object.entries(status.capacity ?? {}).sort(),
      now.conditions?.map(({ type }) => {
        const condition = findCondition(status.conditions, type);
        return [type, condition?.status, condition?.reason, condition?.message];
      }),
      status.addresses?.map(({ type, address }) => [type, address]),
      status.nodeInfo?.containerRuntimeVersion,
      status.nodeInfo?.kubeletVersion,
      status.nodeInfo?.bootID,
      (status.images ?? []).map(({ names }) => names),
    ]);
  return essence(old) !== essence(now);
}
