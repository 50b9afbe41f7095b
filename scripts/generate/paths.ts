/** OpenAPI paths of the built-in resources, with the parameters that kubectl looks for. */
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { formatApiVersion } from '../../src/apimachinery/meta.ts';
import { ALL_VERBS, type Resource } from '../../src/resources/resource.ts';

const CREATE = ['dryRun', 'fieldManager', 'fieldValidation'];
const DELETE = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'];
const LIST = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const TYPES: Record<string, string> = {
  allowWatchBookmarks: 'boolean',
  force: 'boolean',
  gracePeriodSeconds: 'integer',
  limit: 'integer',
  orphanDependents: 'boolean',
  sendInitialEvents: 'boolean',
  timeoutSeconds: 'integer',
  watch: 'boolean',
};
const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const PRODUCES = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml'];

interface Operation {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  verb: string;
  action: string;
  parameters: readonly string[];
}

const COLLECTION: readonly Operation[] = [
  { method: 'get', verb: 'list', action: 'list', parameters: LIST },
  { method: 'post', verb: 'create', action: 'post', parameters: CREATE },
  { method: 'delete', verb: 'deletecollection', action: 'deletecollection', parameters: [...DELETE, ...LIST] },
];
const ITEM: readonly Operation[] = [
  { method: 'get', verb: 'get', action: 'get', parameters: [] },
  { method: 'put', verb: 'update', action: 'put', parameters: CREATE },
  { method: 'delete', verb: 'delete', action: 'delete', parameters: DELETE },
  { method: 'patch', verb: 'patch', action: 'patch', parameters: [...CREATE, 'force'] },
];
const NAMES: Record<string, string> = { get: 'read', put: 'replace', post: 'create', deletecollection: 'deleteCollection' };

/** The paths of one resource. `v2`: in Swagger's form. */
export function pathsOf(resource: Resource, v2: boolean): JsonObject {
  const root = `${resource.group === '' ? '/api' : '/apis'}/${formatApiVersion(resource)}`;
  const verbs: readonly string[] = resource.verbs ?? ALL_VERBS;
  const base = resource.namespaced ? `${root}/namespaces/{namespace}/${resource.resource}` : `${root}/${resource.resource}`;
  const inPath = resource.namespaced ? ['namespace'] : [];
  const paths: JsonObject = {};
  const add = (path: string, operations: readonly Operation[], allowed: readonly string[], kind: string, names: string[]): void => {
    const used = operations.filter(({ verb }) => allowed.includes(verb));
    if (used.length === 0) return;
    const gvk = { group: resource.group, version: resource.version, kind };
    const entries = used.map((o) => [o.method, operation(o, gvk, names, resource, path, v2)]);
    paths[path] = { ...Object.fromEntries(entries), parameters: [...names, 'pretty'].map((n) => parameter(n, names, v2)) };
  };
  add(base, COLLECTION, verbs, resource.kind, inPath);
  add(`${base}/{name}`, ITEM, verbs, resource.kind, ['name', ...inPath]);
  if (resource.namespaced && verbs.includes('list')) {
    add(`${root}/${resource.resource}`, COLLECTION.slice(0, 1), ['list'], resource.kind, []);
  }
  for (const sub of resource.subresources ?? []) {
    const operations = [...ITEM, COLLECTION[1] as Operation];
    add(`${base}/{name}/${sub.name}`, operations, sub.verbs, sub.kind, ['name', ...inPath]);
  }
  return paths;
}

function operation(
  { action, parameters }: Operation,
  gvk: { group: string; version: string; kind: string },
  names: readonly string[],
  resource: Resource,
  path: string,
  v2: boolean,
): JsonObject {
  const scope = names.includes('namespace') ? 'Namespaced' : path.includes('{name}') || !resource.namespaced ? '' : 'ForAllNamespaces';
  const group = (resource.group === '' ? 'core' : resource.group).split('.')[0] as string;
  const title = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  const suffix = path.includes('{name}/') ? title(path.slice(path.lastIndexOf('/') + 1)) : '';
  const operationId = `${NAMES[action] ?? action}${title(group)}${title(resource.version)}${scope === 'Namespaced' ? scope : ''}${gvk.kind}${suffix}${scope === 'ForAllNamespaces' ? scope : ''}`;
  const consumes = action === 'patch' ? PATCH_TYPES : ['*/*'];
  const body = action !== 'get' && action !== 'list';
  const common: JsonObject = {
    operationId,
    tags: [`${group}_${resource.version}`],
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    parameters: parameters.map((name) => parameter(name, [], v2)),
  };
  if (v2) {
    return { ...common, consumes, produces: PRODUCES, responses: { '200': { description: 'OK' } } };
  }
  return {
    ...common,
    ...(body ? { requestBody: { content: Object.fromEntries(consumes.map((type) => [type, {}])) } } : {}),
    responses: { '200': { description: 'OK', content: Object.fromEntries(PRODUCES.map((type) => [type, {}])) } },
  };
}

function parameter(name: string, inPath: readonly string[], v2: boolean): JsonObject {
  const type = TYPES[name] ?? 'string';
  const where = inPath.includes(name) ? { in: 'path', required: true } : { in: 'query' };
  return { name, ...where, ...(v2 ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } }) };
}
