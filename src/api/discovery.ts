/** Discovery, derived from the list of resources: plain documents and aggregated ones. */
import { toBase64 } from '../apimachinery/codec/base64.ts';
import { sha256 } from '../apimachinery/digest.ts';
import type { JsonObject } from '../apimachinery/meta.ts';
import { formatApiVersion } from '../apimachinery/meta.ts';
import { ALL_VERBS, type Resource } from '../resources/resource.ts';
import { extensionVersion } from './aggregation/extension-discovery.ts';
import { type Catalogue, catalogueOf, type Group } from './catalogue.ts';
import type { Context } from './context.ts';
import { DOCUMENT, GROUP_DOCUMENT, negotiate } from './negotiation.ts';
import { storedResource } from './registry/resource-name.ts';
import { respond } from './respond.ts';

/** `/api`, `/apis` and what lies directly below them; undefined for any other path. */
export async function discovery(context: Context): Promise<Response | undefined> {
  const all = catalogueOf(context.snapshot);
  const parts = context.info.path.split('/').filter(Boolean);
  if (parts[0] === 'api') {
    if (parts.length === 1) return (await aggregated(context, all, true)) ?? document(context, apiVersions());
    if (parts.length === 2 && parts[1] === 'v1') return document(context, await resourceList(all, '', 'v1'));
    return undefined;
  }
  if (parts[0] !== 'apis') return undefined;
  if (parts.length === 1) {
    return (await aggregated(context, all, false)) ?? document(context, groupList(all), GROUP_DOCUMENT);
  }
  const group = all.groups.find((g) => g.name === parts[1] && g.name !== '');
  if (group === undefined) return undefined;
  if (parts.length === 2) {
    return document(context, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) }, GROUP_DOCUMENT);
  }
  const version = parts[2] as string;
  if (parts.length > 3 || !group.versions.includes(version)) return undefined;
  return document(context, await resourceList(all, group.name, version));
}

const document = ({ request }: Context, body: JsonObject, subject = DOCUMENT): Response =>
  respond(body, negotiate(request, subject));

function apiVersions(): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.96.0.1:443' }],
  };
}

function apiGroup({ name, versions }: Group): JsonObject {
  const of = (version: string): JsonObject => ({ groupVersion: `${name}/${version}`, version });
  return { name, versions: versions.map(of), preferredVersion: of(versions[0] as string) };
}

function groupList({ groups }: Catalogue): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((g) => g.name !== '').map(apiGroup) };
}

const inVersion = ({ resources }: Catalogue, group: string, version: string): Resource[] =>
  resources.filter((r) => r.group === group && r.version === version);

async function resourceList(all: Catalogue, group: string, version: string): Promise<JsonObject> {
  const found = inVersion(all, group, version);
  const described = await Promise.all(found.map(async (r) => [await apiResource(r), ...subresources(r)]));
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: formatApiVersion({ group, version }),
    resources: described.flat(),
  };
}

/** Definitions say theirs in an order of their own. */
const verbsOf = ({ custom, verbs = ALL_VERBS }: Resource): string[] =>
  custom === undefined ? sorted(verbs) : [...verbs];
const sorted = (verbs: readonly string[]): string[] => [...verbs].sort();

async function apiResource(r: Resource): Promise<JsonObject> {
  return {
    name: r.resource,
    singularName: r.singular,
    namespaced: r.namespaced,
    kind: r.kind,
    verbs: verbsOf(r),
    ...(r.shortNames === undefined ? {} : { shortNames: [...r.shortNames] }),
    ...(r.categories === undefined ? {} : { categories: [...r.categories] }),
    ...(isStored(r) ? { storageVersionHash: await storageHash(r) } : {}),
  };
}

const isStored = (r: Resource): boolean => r.computed !== true && (r.verbs ?? ALL_VERBS).includes('list');

const HASH_BYTES = 8;

/** Opaque to clients; changes when the stored version does (`discovery.StorageVersionHash`). */
async function storageHash(r: Resource): Promise<string> {
  const { group, version, kind } = storedResource(r);
  const digest = await sha256(`${group}/${version}/${kind}`);
  return toBase64(digest.subarray(0, HASH_BYTES));
}

function subresources(r: Resource): JsonObject[] {
  return (r.subresources ?? []).map((s) => ({
    name: `${r.resource}/${s.name}`,
    singularName: '',
    namespaced: r.namespaced,
    ...(s.group === undefined ? {} : { group: s.group, version: s.version ?? 'v1' }),
    kind: s.kind,
    verbs: sorted(s.verbs),
  }));
}

/** The aggregated document, where the client takes it; its Content-Type says so. */
async function aggregated(context: Context, all: Catalogue, core: boolean): Promise<Response | undefined> {
  const accept = context.request.headers.get('accept') ?? '';
  const match =
    /application\/json;(?=[^,]*as=APIGroupDiscoveryList)(?=[^,]*g=apidiscovery\.k8s\.io)[^,]*v=(v2)(?![a-z0-9])/.exec(
      accept,
    );
  const version = match?.[1];
  if (version === undefined) return undefined;
  const groups = all.groups.filter((g) => (g.name === '') === core);
  const body = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: await Promise.all(groups.map((group) => groupDiscovery(context, all, group))),
  };
  return new Response(JSON.stringify(body), {
    headers: {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      vary: 'Accept',
    },
  });
}

async function groupDiscovery(context: Context, all: Catalogue, { name, versions }: Group): Promise<JsonObject> {
  const { around, info, snapshot } = context;
  const described = versions.map((version) => {
    const remote = snapshot.remote.find(name, version);
    if (remote !== undefined) return extensionVersion(around, info.cluster, remote);
    const found = inVersion(all, name, version).map(resourceDiscovery);
    return { version, resources: found, freshness: 'Current' };
  });
  return { metadata: name === '' ? {} : { name }, versions: await Promise.all(described) };
}

function resourceDiscovery(r: Resource): JsonObject {
  const subs = (r.subresources ?? []).map((s) => ({
    subresource: s.name,
    responseKind: { group: s.group ?? '', version: s.version ?? '', kind: s.kind },
    verbs: sorted(s.verbs),
  }));
  return {
    resource: r.resource,
    responseKind: { group: '', version: '', kind: r.kind },
    scope: r.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: r.singular,
    verbs: verbsOf(r),
    ...(r.shortNames === undefined ? {} : { shortNames: [...r.shortNames] }),
    ...(r.categories === undefined ? {} : { categories: [...r.categories] }),
    ...(subs.length === 0 ? {} : { subresources: subs }),
  };
}
