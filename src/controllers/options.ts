/** What the manager has of the cluster. */
import type { Client, ResourceId } from '../apimachinery/client.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { StoreChanges } from './changes.ts';
import type { Controller, ControllerContext, ExtensionCall } from './controller.ts';
import type { QueueBackend } from './queue/backend.ts';

export interface ManagerOptions {
  controllers: readonly Controller[];
  client: Client;
  /** The same as another field manager; default: the same altogether. */
  clientAs?(fieldManager: string): Client;
  backend: QueueBackend;
  /** What a store has changed since a resourceVersion. */
  changesSince(store: ResourceId, resourceVersion: number): Promise<StoreChanges>;
  /** Objects of a store in the order of their keys; without it they are read one by one. */
  getMany?(store: ResourceId, keys: string[]): Promise<(KubeObject | undefined)[]>;
  rootCa: ControllerContext['rootCa'];
  secretToken: ControllerContext['secretToken'];
  certificates: ControllerContext['certificates'];
  clusterCidr: string;
  /** Without it every extension API server answers. */
  probeDiscovery?: ControllerContext['probeDiscovery'];
  /** For the controller of a name; without it nobody is there. */
  askExtension?(controller: string, ...question: Parameters<ExtensionCall>): ReturnType<ExtensionCall>;
  /** Whether the node's agent holds its session; without it none does. */
  nodeConnected?(node: string): Promise<boolean>;
  now?: () => number;
}
