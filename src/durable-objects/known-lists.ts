/** Lists of whole stores, kept current by what has changed in them since: a change costs what it concerns, not the list. */
import type { Surroundings } from '../api/context.ts';
import { decodeText, keyOf } from '../api/registry/encode.ts';
import type { ResourceId } from '../apimachinery/client.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { StoreClient } from './store-client.ts';

interface Known {
  resourceVersion: number;
  byKey: ReadonlyMap<string, KubeObject>;
  /** In the order of the keys. */
  list: readonly KubeObject[];
}

/** What is kept of objects that are large, by store. */
type Forms = Readonly<Record<ResourceId, (object: KubeObject) => KubeObject>>;

/** So many changes are not looked at one by one. */
const MANY = 200;

export class KnownLists {
  private readonly client: StoreClient;
  private readonly around: Surroundings;
  private readonly cluster: string;
  private readonly forms: Forms;
  private readonly known = new Map<ResourceId, Known>();

  constructor(client: StoreClient, around: Surroundings, cluster: string, forms: Forms = {}) {
    this.client = client;
    this.around = around;
    this.cluster = cluster;
    this.forms = forms;
  }

  /** Everything that is in the stores now. Whole objects the first time; later those that have not changed since may be shared. */
  async read(ids: readonly ResourceId[]): Promise<Map<ResourceId, readonly KubeObject[]>> {
    const lists = await Promise.all(ids.map((id) => this.current(id)));
    return new Map(ids.map((id, index) => [id, lists[index]?.list ?? []]));
  }

  private async current(id: ResourceId): Promise<Known> {
    const before = this.known.get(id);
    const known = (before && (await this.caughtUp(id, before))) ?? (await this.listed(id));
    this.known.set(id, known);
    return known;
  }

  private async listed(id: ResourceId): Promise<Known> {
    const { resourceVersion, items } = await this.client.list(id);
    return known(Number(resourceVersion), new Map(items.map((object) => [keyIn(object), this.formed(id, object)])));
  }

  /** Undefined where it is quicker, or the only way, to list anew. */
  private async caughtUp(id: ResourceId, before: Known): Promise<Known | undefined> {
    const store = this.around.store(this.cluster, id);
    const { notices, resourceVersion, expired } = await store.changesSince(before.resourceVersion);
    if (expired || notices.length > MANY) return undefined;
    if (notices.length === 0) return before;
    const keys = [...new Set(notices.map(({ key }) => key))];
    const byKey = new Map(before.byKey);
    for (const [index, text] of (await store.getMany(keys)).entries()) {
      const key = keys[index] as string;
      if (text === null) byKey.delete(key);
      else byKey.set(key, this.formed(id, decodeText<KubeObject>(text)));
    }
    return known(resourceVersion, byKey);
  }

  private formed(id: ResourceId, object: KubeObject): KubeObject {
    return this.forms[id]?.(object) ?? object;
  }
}

const keyIn = ({ metadata }: KubeObject): string => keyOf(metadata.namespace, metadata.name);

function known(resourceVersion: number, byKey: ReadonlyMap<string, KubeObject>): Known {
  const entries = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1));
  return { resourceVersion, byKey, list: entries.map(([, object]) => object) };
}
