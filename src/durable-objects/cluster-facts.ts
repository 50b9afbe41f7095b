/** What the cluster's snapshot is made of, read from its stores. */
import { HOOK_STORES, hookFact } from '../api/admission/hooks/facts.ts';
import { remoteServiceFact } from '../api/aggregation/remote-services.ts';
import { reconcilePolicy } from '../api/bootstrap/ensure.ts';
import type { Surroundings } from '../api/context.ts';
import { FLOW_SCHEMAS, flowSchemaFact, PRIORITY_LEVELS, priorityLevelFact } from '../api/flowcontrol/facts.ts';
import { DEFINITIONS, withoutSchemas } from '../api/registry/definitions.ts';
import type { ResourceId } from '../apimachinery/client.ts';
import { toBase64 } from '../apimachinery/codec/base64.ts';
import { sha256 } from '../apimachinery/digest.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { CustomResourceDefinition } from '../generated/types/apiextensions.v1.ts';
import type { APIService } from '../generated/types/apiregistration.v1.ts';
import type { BindingFact, ClusterSnapshot, NamespaceFact, PolicyRule, RoleFact, Subject } from './cluster-rpc.ts';
import { KnownLists } from './known-lists.ts';
import type { StoreClient } from './store-client.ts';

const RBAC = 'rbac.authorization.k8s.io';
export const QUOTAS = 'core/resourcequotas';
const API_SERVICES = 'apiregistration.k8s.io/apiservices';
const IN_SNAPSHOT: readonly ResourceId[] = [
  'core/namespaces',
  QUOTAS,
  API_SERVICES,
  DEFINITIONS,
  ...HOOK_STORES,
  FLOW_SCHEMAS,
  PRIORITY_LEVELS,
  ...['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((name) => `${RBAC}/${name}`),
];

type Facts = Omit<ClusterSnapshot, 'version' | 'issuer' | 'keys' | 'authorities' | 'removedNodes'>;

export class FactReader {
  private readonly client: StoreClient;
  private readonly lists: KnownLists;
  /** Since this was made. */
  private policyIsWhole = false;

  constructor(client: StoreClient, around: Surroundings, cluster: string) {
    this.client = client;
    this.lists = new KnownLists(client, around, cluster, { [DEFINITIONS]: withoutSchemas });
  }

  /** What the snapshot is made of. The first time since the object woke, the default policy is made whole on the way: it is read anyway. */
  async read(): Promise<Facts> {
    let lists = await this.lists.read(IN_SNAPSHOT);
    if (!this.policyIsWhole) {
      if (await reconcilePolicy(this.client, lists)) lists = await this.lists.read(IN_SNAPSHOT);
      this.policyIsWhole = true;
    }
    const all = <T extends KubeObject>(...ids: ResourceId[]): T[] => ids.flatMap((id) => (lists.get(id) ?? []) as T[]);
    return {
      namespaces: all<Namespace>('core/namespaces').map(namespaceFact),
      roles: all<Role>(`${RBAC}/roles`, `${RBAC}/clusterroles`).map(roleFact),
      bindings: all<Binding>(`${RBAC}/rolebindings`, `${RBAC}/clusterrolebindings`).map(bindingFact),
      definitions: all<CustomResourceDefinition>(DEFINITIONS),
      hooks: HOOK_STORES.flatMap((id) => all(id).map((object) => hookFact(id, object))),
      quotas: [...new Set(all(QUOTAS).map(({ metadata }) => metadata.namespace ?? ''))].sort(),
      remoteServices: all<APIService>(API_SERVICES).flatMap((service) => remoteServiceFact(service) ?? []),
      flows: { schemas: all(FLOW_SCHEMAS).map(flowSchemaFact), levels: all(PRIORITY_LEVELS).map(priorityLevelFact) },
    };
  }

  /** What there is of CustomResourceDefinitions now, without their schemas. */
  async definitions(): Promise<CustomResourceDefinition[]> {
    const lists = await this.lists.read([DEFINITIONS]);
    return [...(lists.get(DEFINITIONS) ?? [])] as CustomResourceDefinition[];
  }
}

/** Changes when the objects do, but not with the day. */
export async function digestOf(objects: unknown): Promise<string> {
  const text = JSON.stringify(objects, (key, value: unknown) => (key === 'since' ? undefined : value));
  return toBase64(await sha256(text));
}

interface Namespace extends KubeObject {
  status?: { phase?: string };
}

interface Role extends KubeObject {
  rules?: PolicyRule[];
}

interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: Subject[];
}

const namespaceFact = ({ metadata, status }: Namespace): NamespaceFact => ({
  name: metadata.name,
  phase: status?.phase ?? 'Active',
  labels: metadata.labels ?? {},
});

const roleFact = ({ metadata, rules }: Role): RoleFact => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  rules: rules ?? [],
});

const bindingFact = ({ metadata, roleRef, subjects }: Binding): BindingFact => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  roleRef: { kind: roleRef.kind, name: roleRef.name },
  subjects: subjects ?? [],
});
