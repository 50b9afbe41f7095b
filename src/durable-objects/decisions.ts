/** What a store makes of the writes that it is asked for. Services get their addresses and ports here, within the write. */
import { decideChange } from '../api/registry/change.ts';
import { definedResources } from '../api/registry/definitions.ts';
import { definitionNamed } from '../api/registry/resource-name.ts';
import { ServiceAllocator } from '../api/registry/service-allocator.ts';
import type { GroupResource } from '../apimachinery/errors.ts';
import type { Resource } from '../resources/resource.ts';
import { createDecision } from '../store/store.ts';
import type { Change, Decide, Row } from '../store/types.ts';
import type { Env } from './env.ts';
import type { ChangeRequest, Creation } from './rpc.ts';
import { surroundings } from './surroundings.ts';

const SERVICES = 'core/services';

export class Decisions {
  readonly resource: GroupResource;
  private readonly env: Env;
  private readonly cluster: string;
  private readonly id: string;
  /** All that is stored, read when the first Service is written. */
  private readonly rows: () => Iterable<Row>;
  private allocator: ServiceAllocator | undefined;

  constructor(env: Env, cluster: string, id: string, rows: () => Iterable<Row>) {
    this.env = env;
    this.cluster = cluster;
    this.id = id;
    this.rows = rows;
    const [group = '', resource = ''] = id.split('/');
    this.resource = { group: group === 'core' ? '' : group, resource };
  }

  /** Of a new object. */
  creation({ key, object, dryRun }: Creation): Decide {
    return this.allocating(key, createDecision(this.resource, key, object, dryRun));
  }

  /** Of a change; `custom`: what {@link customOf} says of it. */
  change(key: string, request: ChangeRequest, custom?: Resource): Decide {
    return this.allocating(key, decideChange(request, key, custom));
  }

  /** The custom resource that a request names; a built-in one is found by name when it is needed. */
  async customOf(request: ChangeRequest): Promise<Resource | undefined> {
    const named = 'resource' in request ? definitionNamed(request.resource) : undefined;
    if (named === undefined) return undefined;
    const source = surroundings(this.env);
    const found = await definedResources(source, this.cluster, named.definition, named.resourceVersion);
    return found?.get(named.version);
  }

  /** To be told of every commit. */
  observe(changes: readonly Change[]): void {
    if (this.allocator !== undefined) for (const change of changes) this.allocator.observe(change);
  }

  private allocating(key: string, decide: Decide): Decide {
    if (this.id !== SERVICES) return decide;
    this.allocator ??= new ServiceAllocator(this.rows());
    return this.allocator.wrap(key, decide);
  }
}
