/** The `Client` inside the Worker: the same registry that the API uses, without HTTP, authentication or a second copy of anything. */

import { hearsOf } from '../api/admission/hooks/index.ts';
import { forgetListed } from '../api/admission/listed.ts';
import type { User } from '../api/authentication/user.ts';
import type { Requester, Store, Surroundings } from '../api/context.ts';
import { isConvertedByWebhook } from '../api/conversion/index.ts';
import { changeObject } from '../api/handlers/change.ts';
import { deleteObject } from '../api/handlers/delete.ts';
import { createObject } from '../api/handlers/write.ts';
import type { Rewrite } from '../api/registry/change.ts';
import { definedResources } from '../api/registry/definitions.ts';
import { decodeText, keyOf } from '../api/registry/encode.ts';
import { nameOf, storedResource } from '../api/registry/resource-name.ts';
import { requestInfo } from '../api/request-info.ts';
import { podMetrics } from '../api/resource-metrics/metrics.ts';
import { metricsScope } from '../api/resource-metrics/node-summary.ts';
import { unwrap } from '../api/respond.ts';
import { snapshots } from '../api/snapshot.ts';
import type {
  Client,
  CustomKind,
  DeleteOptions,
  ListOptions,
  ObjectList,
  PatchType,
  ResourceId,
} from '../apimachinery/client.ts';
import { badRequest, isReason } from '../apimachinery/errors.ts';
import type { Json, KubeObject } from '../apimachinery/meta.ts';
import { servedVersions } from '../controllers/crd-registration/index.ts';
import type { CustomResourceDefinition } from '../generated/types/apiextensions.v1.ts';
import { isEstablished } from '../resources/custom/resource.ts';
import { resourceById } from '../resources/index.ts';
import { type Resource, storeOf } from '../resources/resource.ts';
import { GroupedCreates } from './grouped-creates.ts';
import type { RequestOptions } from './rpc.ts';

/** The cluster itself: what upstream's API server makes. */
export const CLUSTER = 'kube-apiserver';
/** Of the service accounts that upstream's controllers act as. */
const GROUPS = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'];
const CUSTOM_MAX_AGE_MS = 1000;

function customKind({ spec = {}, status }: CustomResourceDefinition): CustomKind {
  const { plural = '', kind = '' } = status?.acceptedNames ?? {};
  const { group = '', scope, versions = [] } = spec;
  const path = versions.find(({ storage }) => storage)?.subresources?.scale?.specReplicasPath;
  const replicas = path?.split('.').filter((name) => name !== '');
  return {
    store: `${group}/${plural}`,
    group,
    kind,
    resource: plural,
    namespaced: scope === 'Namespaced',
    ...(replicas === undefined ? {} : { replicas }),
  };
}

interface Definitions {
  at: number;
  kinds: readonly CustomKind[];
  /** The resourceVersion of each definition, by name. */
  versions: ReadonlyMap<string, string>;
}

/** The service account that upstream's controller of the name acts as. */
export const controllerUser = (component: string): User => ({
  name: `system:serviceaccount:kube-system:${component}`,
  uid: '',
  groups: GROUPS,
  extra: {},
});

/** A client for one cluster, acting as one component. */
export class StoreClient implements Client {
  private readonly around: Surroundings;
  private readonly cluster: string;
  private readonly options: RequestOptions;
  private readonly user: User;
  private readonly isCluster: boolean;
  private custom: Definitions | undefined;

  /** `component`: upstream's name of it, as in `system:serviceaccount:kube-system:<component>`. */
  constructor(around: Surroundings, cluster: string, component: string) {
    const creators = new Map<ResourceId, GroupedCreates>();
    const creator = (_: string, id: ResourceId): GroupedCreates => {
      const known = creators.get(id) ?? new GroupedCreates(() => around.store(cluster, id));
      creators.set(id, known);
      return known;
    };
    this.around = { ...around, creator };
    this.cluster = cluster;
    this.options = { fieldManager: component, dryRun: false, fieldValidation: 'Ignore' };
    this.user = controllerUser(component);
    this.isCluster = component === CLUSTER;
  }

  async get<T extends KubeObject>(id: ResourceId, namespace: string, name: string): Promise<T | undefined> {
    const resource = await this.find(id);
    const text = await this.store(resource).get(key(resource, namespace, name));
    return text === null ? undefined : read<T>(resource, decodeText(text));
  }

  async list<T extends KubeObject>(id: ResourceId, options: ListOptions = {}): Promise<ObjectList<T>> {
    const resource = await this.find(id);
    const { namespace, ...selection } = options;
    const prefix = namespace ? `${namespace}/` : '';
    if (id === 'metrics.k8s.io/pods') {
      const scope = metricsScope(this.around, this.cluster);
      return { resourceVersion: '', items: (await podMetrics(scope, { ...selection, prefix })) as KubeObject[] as T[] };
    }
    const page = unwrap(await this.store(resource).list({ ...selection, prefix }));
    const items = JSON.parse(`[${page.items}]`) as T[];
    return { resourceVersion: String(page.resourceVersion), items: items.map((object) => read<T>(resource, object)) };
  }

  async create<T extends KubeObject>(id: ResourceId, object: T, subresource?: string): Promise<T> {
    if (subresource !== undefined) throw badRequest(`${id}/${subresource} cannot be created from inside the cluster`);
    const resource = await this.find(id);
    const text = await createObject(
      await this.context(object.metadata.namespace ?? '', object.metadata.name ?? ''),
      resource,
      typed(resource, object),
      this.options,
    );
    forgetListed(this.cluster, id, object.metadata.namespace ?? '');
    return decodeText<T>(text);
  }

  async update<T extends KubeObject>(id: ResourceId, object: T, subresource?: string): Promise<T> {
    const resource = await this.find(id);
    return this.change<T>(resource, object.metadata.namespace ?? '', object.metadata.name, {
      do: 'update',
      resource: nameOf(resource),
      ...(subresource === undefined ? {} : { subresource }),
      body: JSON.stringify(typed(resource, object)),
      options: this.options,
    });
  }

  async patch<T extends KubeObject>(
    id: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: string,
  ): Promise<T> {
    const resource = await this.find(id);
    return this.change<T>(resource, namespace, name, {
      do: 'patch',
      resource: nameOf(resource),
      ...(subresource === undefined ? {} : { subresource }),
      type,
      body: JSON.stringify(patch),
      options: this.options,
    });
  }

  async delete(id: ResourceId, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const resource = await this.find(id);
    const context = await this.context(namespace, name);
    unwrap(await deleteObject(context, resource, name, { ...options, dryRun: false }));
  }

  async servedByDefinitions(): Promise<ReadonlySet<string>> {
    const definitions = await this.around.cluster(this.cluster).definitions();
    return new Set(definitions.flatMap(servedVersions));
  }

  async endWatches(id: ResourceId): Promise<void> {
    await this.around.store(this.cluster, id).endWatches();
  }

  async customKinds(): Promise<readonly CustomKind[]> {
    return (await this.definitions()).kinds;
  }

  /** What is defined, as of a second ago. */
  private async definitions(): Promise<Definitions> {
    const { custom } = this;
    if (custom !== undefined && Date.now() - custom.at < CUSTOM_MAX_AGE_MS) return custom;
    const at = Date.now();
    const definitions = await this.around.cluster(this.cluster).definitions();
    const kinds = definitions.filter(isEstablished).map(customKind);
    const versions = new Map(definitions.map(({ metadata }) => [metadata.name, metadata.resourceVersion ?? '0']));
    this.custom = { at, kinds, versions };
    return this.custom;
  }

  /** A built-in resource, or the stored version of a custom one. Throws BadRequest for what there is not. */
  private async find(id: ResourceId): Promise<Resource> {
    const resource = resourceById(id) ?? (await this.findCustom(id));
    if (resource === undefined) throw badRequest(`unknown resource ${id}`);
    return resource;
  }

  private async findCustom(id: ResourceId): Promise<Resource | undefined> {
    const [group = '', plural = ''] = id.split('/');
    const name = `${plural}.${group}`;
    const resourceVersion = (await this.definitions()).versions.get(name) ?? '0';
    const resources = await definedResources(this.around, this.cluster, name, resourceVersion);
    const first = resources?.values().next().value;
    return first === undefined ? undefined : storedResource(first);
  }

  private async change<T extends KubeObject>(
    resource: Resource,
    namespace: string,
    name: string,
    request: Rewrite,
  ): Promise<T> {
    const context = await this.context(namespace, name);
    const { subresource = '' } = request;
    const operation = { context, resource, operation: 'UPDATE', subresource } as const;
    const result = unwrap(
      hearsOf(operation) || isConvertedByWebhook(resource)
        ? await changeObject(context, resource, request)
        : await this.store(resource).change(key(resource, namespace, name), request),
    );
    return read<T>(resource, decodeText(result.text));
  }

  private store(resource: Resource): Store {
    return this.around.store(this.cluster, storeOf(resource));
  }

  /** What is needed of a request. */
  private async context(namespace: string, name: string): Promise<Requester> {
    const { around, user, cluster } = this;
    const url = new URL(`https://cluster/clusters/${cluster}/`);
    const info = { ...requestInfo('POST', url), cluster, namespace, name };
    const common = { info, user, around, warnings: [] };
    // What the cluster makes for itself nobody judges: it could not be asked what the rules are.
    if (this.isCluster) return common;
    try {
      return { ...common, rules: await snapshots.get(cluster, around.cluster(cluster)) };
    } catch (error) {
      // A cluster that nobody has made yet has no rules.
      if (isReason(error, 'Unauthorized')) return common;
      throw error;
    }
  }
}

/** An object in its stored version; what a webhook would convert is seen as it is kept: controllers look at no more than its metadata. */
function read<T extends KubeObject>({ conversion }: Resource, object: KubeObject): T {
  const asKept = conversion === undefined || conversion.webhook !== undefined;
  return (asKept ? object : conversion.fromStored(object)) as T;
}

function key(resource: Resource, namespace: string, name: string): string {
  return keyOf(resource.namespaced ? namespace : undefined, name);
}

/** The object with its kind and apiVersion, which callers may leave out; never the caller's own copy. */
function typed<T extends KubeObject>(resource: Resource, object: T): T {
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  return { ...structuredClone(object), kind: resource.kind, apiVersion };
}
