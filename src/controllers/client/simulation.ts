/** All controllers on a cluster in memory, with nodes that run every pod at once and time that jumps to the next thing to do. */
import type { Client, ResourceId } from '../../apimachinery/client.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import type { ChangeNotice } from '../changes.ts';
import type { CertificateAuthority, Controller, DiscoveryProbe, ExtensionCall, RootCa } from '../controller.ts';
import { targetNode } from '../daemonset/template.ts';
import { controllers as allControllers } from '../index.ts';
import { ControllerManager } from '../manager.ts';
import { MemoryBackend } from '../queue/backend.ts';
import { FakeCluster } from './fake.ts';

export interface SimulationOptions {
  /** What the cluster's CA says; default: nothing. */
  certificates?: Partial<CertificateAuthority>;
  controllers?: readonly Controller[];
  /** What extension API servers answer; default: that all is well. */
  probeDiscovery?: DiscoveryProbe;
  /** What extension API servers serve; default: nothing. */
  askExtension?: ExtensionCall;
  /** Whether a pod can run at all; default: yes. */
  runs?(pod: Pod): boolean;
  /** Whether pods get a node and run; default true. */
  kubelet?: boolean;
  /** What stands between the controllers and the cluster. */
  between?(cluster: Client): Client;
}

export class Simulation {
  readonly cluster: FakeCluster;
  readonly backend = new MemoryBackend();
  manager: ControllerManager;
  /** The clock, in ms since the epoch. */
  time = Date.parse('2026-01-01T00:00:00Z');
  readonly #options: SimulationOptions;
  readonly #told: Promise<void>[] = [];
  readonly #pods = new Set<string>();
  #address = 0;
  /** Nodes whose agents hold their sessions. */
  readonly sessions = new Set<string>();
  /** The cluster's CAs; who changes them tells the manager. */
  rootCa: RootCa = { bundle: '-----BEGIN CERTIFICATE-----' };
  /** Notifications are lost while false. */
  connected = true;

  constructor(options: SimulationOptions = {}) {
    this.#options = options;
    this.cluster = new FakeCluster(() => this.time);
    this.manager = this.#newManager();
    this.cluster.onChange = (store, from, notice) => this.#onChange(store, from, notice);
  }

  /** As when the object is evicted: only what was written is left. */
  restart(): void {
    this.manager = this.#newManager();
  }

  /** Runs until nothing is due within `horizonMs`; time jumps. */
  async settle(horizonMs = 2_000): Promise<void> {
    const end = this.time + horizonMs;
    for (let rounds = 0; rounds < 10_000; rounds++) {
      while (this.#told.length > 0) await this.#told.shift();
      await this.manager.drain();
      if (this.#runPods()) continue;
      if (this.#told.length > 0) continue;
      const due = this.manager.nextDue();
      if (due === undefined || due > end) {
        this.time = end;
        return;
      }
      this.time = Math.max(this.time, due);
    }
    throw new Error('never settles');
  }

  /** A node that is Ready. */
  async addNode(name: string, labels: Record<string, string> = {}): Promise<void> {
    const node: Node = { metadata: { name, labels }, spec: {}, status: { conditions: [this.readyCondition()] } };
    await this.cluster.create('core/nodes', node);
  }

  readyCondition() {
    const at = now(this.time);
    return { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: at, lastTransitionTime: at };
  }

  #newManager(): ControllerManager {
    return new ControllerManager({
      controllers: this.#options.controllers ?? allControllers,
      client: this.#options.between?.(this.cluster) ?? this.cluster,
      backend: this.backend,
      changesSince: (store, resourceVersion) => this.cluster.changesSince(store, resourceVersion),
      getMany: (store, keys) => this.cluster.getMany(store, keys),
      rootCa: () => Promise.resolve(this.rootCa),
      certificates: {
        approval: () => Promise.resolve(undefined),
        sign: () => Promise.resolve(undefined),
        ...this.#options.certificates,
      },
      secretToken: ({ account, secret }) => Promise.resolve(`token of ${account} in ${secret}`),
      clusterCidr: '10.244.0.0/16',
      ...(this.#options.probeDiscovery === undefined ? {} : { probeDiscovery: this.#options.probeDiscovery }),
      askExtension: (_, ...question) =>
        this.#options.askExtension?.(...question) ?? Promise.resolve({ status: 503, body: '' }),
      nodeConnected: (node) => Promise.resolve(this.sessions.has(node)),
      now: () => this.time,
    });
  }

  #onChange(store: ResourceId, from: number, notice: ChangeNotice): void {
    if (store === 'core/pods') this.#pods.add(notice.key);
    if (this.connected) this.#told.push(this.manager.notify(store, from, [notice]));
  }

  /** Scheduler and kubelet in one. Answers whether there was something to do. */
  #runPods(): boolean {
    if (this.#options.kubelet === false || this.#pods.size === 0) return false;
    const keys = [...this.#pods];
    this.#pods.clear();
    let worked = false;
    for (const key of keys) {
      const [namespace = '', name = ''] = key.split('/');
      const pod = this.cluster.peek<Pod>('core/pods', namespace, name);
      if (pod === undefined || this.#options.runs?.(pod) === false) continue;
      if (pod.metadata.deletionTimestamp !== undefined) {
        void this.cluster.delete('core/pods', namespace, name, { gracePeriodSeconds: 0 });
        worked = true;
      } else if (pod.status?.phase === undefined) {
        const nodeName = targetNode(pod) ?? `sim-${1 + (this.#address % 3)}`;
        const podIP = `10.244.${Math.floor(this.#address / 250)}.${1 + (this.#address++ % 250)}`;
        const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now(this.time) }];
        void this.cluster
          .update<Pod>('core/pods', { ...pod, spec: { ...pod.spec, nodeName } as Pod['spec'] })
          .then(() => {
            const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions };
            return this.cluster.patch('core/pods', namespace, name, 'merge', { status }, 'status');
          });
        worked = true;
      }
    }
    return worked;
  }
}
