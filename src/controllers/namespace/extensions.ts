/** What extension API servers have in a namespace: nobody but they can delete it. */
import type { Client } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import type { ExtensionCall } from '../controller.ts';
import { API_SERVICES, answerOf } from '../extensions.ts';
import { forEachLimited } from '../objects.ts';

const PARALLEL = 8;
/** Of a collection that is deleted at once nobody reads more: it only matters whether something is left. */
const PAGE = 500;
/** The server has no such collection, or does not do that with it. */
const NOT_SERVED = new Set([404, 405]);

interface APIResource {
  name: string;
  namespaced: boolean;
  verbs: string[];
}

/** The objects of one resource. */
export interface ExtensionContent {
  /** `flunders.wardle.example.com` */
  name: string;
  /** Deletes those in a namespace; answers what is left. Throws what the server refuses. */
  clear(namespace: string): Promise<KubeObject[]>;
}

/** What extension API servers keep in namespaces, each resource once; `stale`: the group-versions of those that do not say what they have. */
export async function extensionContents(
  client: Client,
  ask: ExtensionCall,
): Promise<{ contents: ExtensionContent[]; stale: string[] }> {
  const { items } = await client.list<APIService>(API_SERVICES);
  const handed = items.filter(({ spec }) => spec?.service !== undefined);
  handed.sort((a, b) => (b.spec?.versionPriority ?? 0) - (a.spec?.versionPriority ?? 0));
  const contents = new Map<string, ExtensionContent>();
  const stale: string[] = [];
  const discovered = await Promise.all(handed.map((service) => discover(service, ask)));
  for (const [i, service] of handed.entries()) {
    const resources = discovered[i];
    if (resources === undefined) stale.push(versionOf(service));
    for (const resource of resources ?? []) {
      const name = `${resource.name}.${service.spec?.group}`;
      if (contents.has(name)) continue;
      contents.set(name, { name, clear: (namespace) => clear(ask, service, resource, namespace) });
    }
  }
  return { contents: [...contents.values()], stale: stale.sort() };
}

const versionOf = ({ spec }: APIService): string => `${spec?.group}/${spec?.version}`;

/** The resources of a group-version that are kept in namespaces and can be deleted; undefined where the server does not say. */
async function discover(service: APIService, ask: ExtensionCall): Promise<APIResource[] | undefined> {
  try {
    const { resources } = answerOf(await ask(service, `/apis/${versionOf(service)}`), 'discovery') ?? {};
    return Array.isArray(resources) ? (resources as unknown[]).filter(isDeletable) : undefined;
  } catch {
    return undefined;
  }
}

function isDeletable(value: unknown): value is APIResource {
  const { name, namespaced, verbs } = (value ?? {}) as { [K in keyof APIResource]?: unknown };
  if (typeof name !== 'string' || name.includes('/') || namespaced !== true || !Array.isArray(verbs)) return false;
  return verbs.includes('list') && verbs.includes('delete');
}

async function clear(
  ask: ExtensionCall,
  service: APIService,
  { name, verbs }: APIResource,
  namespace: string,
): Promise<KubeObject[]> {
  const path = `/apis/${versionOf(service)}/namespaces/${namespace}/${encodeURIComponent(name)}`;
  const what = `${name}.${service.spec?.group}`;
  const list = async (): Promise<KubeObject[]> => {
    const answer = await ask(service, `${path}?limit=${PAGE}`);
    if (NOT_SERVED.has(answer.status)) return [];
    const { items } = answerOf(answer, `list ${what}`) ?? {};
    if (!Array.isArray(items)) throw new Error(`${versionOf(service)} did not return a list of ${name}`);
    return items as KubeObject[];
  };
  const remove = async (place: string): Promise<boolean> => {
    const answer = await ask(service, `${place}?propagationPolicy=Background`, 'DELETE');
    if (NOT_SERVED.has(answer.status)) return false;
    answerOf(answer, `delete ${what}`);
    return true;
  };
  const found = await list();
  if (found.length === 0) return [];
  if (!(verbs.includes('deletecollection') && (await remove(path)))) {
    await forEachLimited(found, PARALLEL, async ({ metadata }) => {
      await remove(`${path}/${encodeURIComponent(metadata.name)}`);
    });
  }
  return list();
}
