/** Pods and nodes in memory for a scheduler that is measured: nothing is copied, and the store confirms what it was asked for. */

import type { Client } from '../../src/apimachinery/client.ts';
import { conflict, notFound } from '../../src/apimachinery/errors.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type { Node, Pod } from '../../src/generated/types/core.v1.ts';
import type { Binding } from '../../src/scheduler/binder.ts';
import type { Change, Ports } from '../../src/scheduler/ports.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';

const RESOURCE = { group: '', resource: 'pods' };

export class World {
  readonly nodes = new Map<string, Node>();
  readonly pods = new Map<string, Pod>();
  scheduler: Scheduler;
  /** Called with every pod that was bound. */
  onBound: (pod: Pod) => void = () => {};
  /** Called before bindings are committed, and after; may throw, as when the object is evicted, and commit them late. */
  interrupt: (when: 'before' | 'after', commit: () => void) => void = () => {};
  now: () => number = () => Date.now();
  private changes: Change[] = [];
  private serial = 0;
  /** The session that may bind. */
  private binder = 0;

  constructor() {
    this.scheduler = new Scheduler(this.ports());
    this.binder = this.serial;
  }

  /** As when the object is evicted. */
  async restart(): Promise<void> {
    this.changes = [];
    this.scheduler = new Scheduler(this.ports());
    await this.scheduler.load();
  }

  addNode(node: Node): void {
    this.nodes.set(node.metadata.name, node);
    this.changes.push({ kind: 'node', name: node.metadata.name, node });
  }

  addPod(pod: Pod): void {
    pod.metadata.uid ??= `uid-${++this.serial}`;
    this.put(pod);
  }

  deletePod(key: string): void {
    if (this.pods.delete(key)) this.changes.push({ kind: 'pod', key, pod: undefined });
  }

  /** Tells of what changed and runs, until nothing changes any more. */
  async settle(): Promise<void> {
    do await this.turn();
    while (this.changes.length > 0);
  }

  /** Tells of what changed and runs once. */
  async turn(): Promise<void> {
    const told = this.changes;
    this.changes = [];
    this.scheduler.apply(told);
    await this.scheduler.run();
  }

  private put(pod: Pod): void {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    this.pods.set(key, pod);
    this.changes.push({ kind: 'pod', key, pod });
  }

  private ports(): Ports {
    const { pods, nodes } = this;
    const session = ++this.serial;
    const claim = (): void => {
      this.binder = session;
    };
    return {
      client: this.client(),
      nodes: async () => [...nodes.values()],
      pods: async function* () {
        claim();
        const all = [...pods.values()];
        for (let i = 0; i < all.length; i += 500) yield all.slice(i, i + 500);
      },
      objects: async () => [],
      bind: async (bindings) => {
        const commit = () => {
          if (this.binder !== session) throw new Error('another scheduler has taken over');
          return bindings.map((binding) => this.bind(binding));
        };
        this.interrupt('before', commit);
        const results = commit();
        this.interrupt('after', commit);
        return results;
      },
      event: () => {},
      now: () => this.now(),
    };
  }

  private bind({ key, uid, node }: Binding) {
    const pod = this.pods.get(key);
    if (pod === undefined) return notFound(RESOURCE, key).status;
    if (pod.spec?.nodeName || pod.metadata.uid !== uid) return conflict(RESOURCE, key, 'it has a node').status;
    const bound = { ...pod, spec: { ...pod.spec, nodeName: node } } as Pod;
    this.put(bound);
    this.onBound(bound);
    return undefined;
  }

  /** As much of a client as preemption and conditions take; victims are gone at once. */
  private client(): Client {
    const find = (namespace: string, name: string): Pod | undefined => this.pods.get(`${namespace}/${name}`);
    const unused = async (): Promise<never> => {
      throw new Error('not of this world');
    };
    return {
      get: async <T extends KubeObject>(_: string, namespace: string, name: string) =>
        find(namespace, name) as T | undefined,
      patch: async <T extends KubeObject>(
        _: string,
        namespace: string,
        name: string,
        _type: string,
        patch: unknown,
      ) => {
        const pod = find(namespace, name);
        if (pod === undefined) throw notFound(RESOURCE, name);
        const { status } = patch as { status: Pod['status'] };
        this.put({ ...pod, status: { ...pod.status, ...status } } as Pod);
        return pod as T;
      },
      delete: async (_, namespace, name) => this.deletePod(`${namespace}/${name}`),
      list: unused,
      create: unused,
      update: unused,
    };
  }
}
