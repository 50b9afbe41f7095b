/** What the scheduler has of the cluster, and how it hears of it. */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import type { Status as ApiStatus, KubeObject } from '../apimachinery/meta.ts';
import type { Node, Pod } from '../generated/types/core.v1.ts';
import type { Binding } from './binder.ts';
import type { PodRef } from './framework/plugin.ts';

/** What the scheduler has of the cluster. */
export interface Ports {
  readonly client: Client;
  /** All pods, in pages. */
  pods(): AsyncIterable<Pod[]>;
  nodes(): Promise<Node[]>;
  /** All objects of another resource, of whose changes the scheduler is told from then on. */
  objects(resource: ResourceId): Promise<readonly KubeObject[]>;
  /** In one transaction; for each binding undefined, or why it failed. */
  bind(bindings: readonly Binding[]): Promise<(ApiStatus | undefined)[]>;
  /** Records an event; it is written in its own time. */
  event(pod: PodRef, type: 'Normal' | 'Warning', reason: string, message: string): void;
  now?(): number;
}

/** A change of a pod, a node or another object; the object is undefined when it is gone. */
export type Change =
  | { kind: 'pod'; key: string; pod: Pod | undefined }
  | { kind: 'node'; name: string; node: Node | undefined }
  | { kind: 'object'; resource: ResourceId; key: string; object: KubeObject | undefined };
