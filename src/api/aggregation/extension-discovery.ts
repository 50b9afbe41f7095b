/** What extension API servers say that they serve. Kept by the isolate for a short time: discovery is asked for often. */
import type { Json, JsonObject } from '../../apimachinery/meta.ts';
import type { RemoteServiceFact } from '../../durable-objects/cluster-rpc.ts';
import type { Surroundings } from '../context.ts';
import { AGGREGATOR } from './front-proxy.ts';
import { callExtension } from './proxy.ts';

const FRESH_MS = 10_000;
/** Who is slower fails: everybody's discovery waits for it. */
const TIMEOUT_MS = 3000;
const MOST_KEPT = 256;
const MAX_BYTES = 8 << 20;
const ACCEPT = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

interface Kept {
  at: number;
  /** The last good answer. */
  found: Json | undefined;
  /** Of the last attempt. */
  failed: boolean;
}

const kept = new Map<string, Kept>();

/**
 * What `ask` gets from an extension API server, or the last thing it got; `fresh` when it answers now. Never throws, and asks again
 * after a while only. Who is known to be unavailable is not asked.
 */
export async function remembered(
  cluster: string,
  what: string,
  { available, ...remote }: RemoteServiceFact,
  ask: () => Promise<Json>,
): Promise<{ found: Json | undefined; fresh: boolean }> {
  const key = JSON.stringify([cluster, what, remote]);
  const known = kept.get(key);
  if (!available) return { found: known?.found, fresh: false };
  if (known !== undefined && Date.now() - known.at < FRESH_MS) return { found: known.found, fresh: !known.failed };
  const now: Kept = { at: Date.now(), found: known?.found, failed: true };
  try {
    now.found = await ask();
    now.failed = false;
  } catch (error) {
    console.warn(`${remote.version}.${remote.group}: ${what}:`, String(error));
  }
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value as string);
  kept.delete(key);
  kept.set(key, now);
  return { found: now.found, fresh: !now.failed };
}

/** JSON that an extension API server answers to the aggregator itself. Throws when there is none, or too much, or late. */
export async function extensionJson(
  around: Surroundings,
  cluster: string,
  remote: RemoteServiceFact,
  path: string,
  accept = 'application/json',
): Promise<{ status: number; type: string; body: Json }> {
  const call = { method: 'GET', path, headers: { accept }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  const answer = await callExtension(around, cluster, remote, AGGREGATOR, call);
  const text = await boundedText(answer, path);
  const body = answer.ok ? (JSON.parse(text) as Json) : null;
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', body };
}

/** The body of an answer to a question for `path`, unless it is too large: then it throws. */
export async function boundedText({ body }: Response, path: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) throw new Error(`${path} is too large`);
  }
  return text;
}

/** The version's entry for aggregated discovery: Stale, and as it was or without resources, while the extension does not answer. */
export async function extensionVersion(
  around: Surroundings,
  cluster: string,
  remote: RemoteServiceFact,
): Promise<JsonObject> {
  const { found, fresh } = await remembered(cluster, 'discovery', remote, () => ask(around, cluster, remote));
  const resources = Array.isArray(found) && found.length > 0 ? { resources: found } : {};
  return { version: remote.version, ...resources, freshness: fresh ? 'Current' : 'Stale' };
}

/** The extension's own aggregated document, or, where it has none, the plain one of the version. */
async function ask(around: Surroundings, cluster: string, remote: RemoteServiceFact): Promise<Json> {
  const all = await extensionJson(around, cluster, remote, '/apis', ACCEPT);
  if (all.body !== null && all.type.includes('as=APIGroupDiscoveryList')) return ofAggregated(all.body, remote);
  const path = `/apis/${remote.group}/${remote.version}`;
  const { status, body } = await extensionJson(around, cluster, remote, path);
  if (body === null) throw new Error(`bad status from ${path}: ${status}`);
  return ofPlain(body, remote);
}

const objectsIn = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value)
    ? value.filter((one): one is JsonObject => typeof one === 'object' && one !== null && !Array.isArray(one))
    : [];
const objectOf = (value: Json | undefined): JsonObject => objectsIn([value ?? null])[0] ?? {};

function ofAggregated(body: Json, { group, version }: RemoteServiceFact): JsonObject[] {
  const items = objectsIn(objectOf(body)['items']);
  const own = items.find(({ metadata }) => objectOf(metadata)['name'] === group);
  const found = objectsIn(own?.['versions']).find((one) => one['version'] === version);
  return objectsIn(found?.['resources']).filter(({ resource }) => typeof resource === 'string');
}

/** After upstream's `ConvertGroupVersionIntoToDiscovery`: subresources, which are listed beside, go below their resource. */
function ofPlain(body: Json, remote: RemoteServiceFact): JsonObject[] {
  const found = new Map<string, JsonObject & { subresources?: JsonObject[] }>();
  for (const one of objectsIn(objectOf(body)['resources'])) {
    const { name, singularName, namespaced, kind, group, version, verbs, shortNames, categories } = one;
    const [resource = '', subresource] = String(name ?? '').split('/');
    const responseKind = { group: group || remote.group, version: version || remote.version, kind: kind ?? '' };
    const scope = namespaced === true ? 'Namespaced' : 'Cluster';
    const entry = found.get(resource) ?? { resource, scope, verbs: [] };
    found.set(resource, entry);
    if (subresource !== undefined) {
      entry.subresources = [...(entry.subresources ?? []), { subresource, responseKind, verbs: verbs ?? [] }];
      continue;
    }
    Object.assign(entry, { responseKind, singularResource: singularName ?? '', verbs: verbs ?? [] });
    if (shortNames !== undefined) entry['shortNames'] = shortNames;
    if (categories !== undefined) entry['categories'] = categories;
  }
  return [...found.values()];
}
