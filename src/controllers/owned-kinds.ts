/** The owner kinds that were ever seen, in memory and on disk. */
import type { ResourceId } from '../apimachinery/client.ts';
import type { OwnedKinds } from './controller.ts';
import type { QueueBackend } from './queue/backend.ts';

/** What the backend knows; what is new is on disk when it was learnt. */
export class RememberedKinds implements OwnedKinds {
  readonly #backend: Pick<QueueBackend, 'owned' | 'learn'>;
  readonly #known = new Map<string, Set<ResourceId>>();

  constructor(backend: Pick<QueueBackend, 'owned' | 'learn'>) {
    this.#backend = backend;
    for (const [kind, resource] of backend.owned()) this.#remember(kind, resource);
  }

  resourcesOwnedBy(kind: string): ResourceId[] {
    return [...(this.#known.get(kind) ?? [])];
  }

  learn(kind: string, resource: ResourceId): void {
    if (this.#known.get(kind)?.has(resource)) return;
    this.#remember(kind, resource);
    this.#backend.learn(kind, resource);
  }

  #remember(kind: string, resource: ResourceId): void {
    const resources = this.#known.get(kind) ?? new Set();
    this.#known.set(kind, resources.add(resource));
  }
}
