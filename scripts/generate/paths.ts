/** OpenAPI paths of the built-in resources, with the operations and parameters that kubectl looks for. */
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { formatApiVersion } from '../../src/apimachinery/meta.ts';
import { schemaFor } from '../../src/apimachinery/schema/index.ts';
import { ALL_VERBS, type Resource } from '../../src/resources/resource.ts';
import {
  type GroupVersionKind,
  type Method,
  type Operation,
  PATCH_TYPES,
  PRODUCES,
  PRODUCES_LIST,
  pathItem,
} from './operations.ts';
import { schemaName } from './schemas.ts';

type Subresource = NonNullable<Resource['subresources']>[number];

const WRITE = ['dryRun', 'fieldManager', 'fieldValidation'];
const DELETE = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];
const SELECT = [
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
];
const LIST = ['allowWatchBookmarks', ...SELECT, 'watch'];
/** What each verb is to HTTP and to `x-kubernetes-action`, in upstream's words. */
const VERBS: Record<string, { method: Method; action: string; word: string; parameters: string[]; codes: number[] }> = {
  list: { method: 'get', action: 'list', word: 'list', parameters: LIST, codes: [200] },
  get: { method: 'get', action: 'get', word: 'read', parameters: [], codes: [200] },
  update: { method: 'put', action: 'put', word: 'replace', parameters: WRITE, codes: [200, 201] },
  create: { method: 'post', action: 'post', word: 'create', parameters: WRITE, codes: [200, 201, 202] },
  delete: { method: 'delete', action: 'delete', word: 'delete', parameters: DELETE, codes: [200, 202] },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    word: 'delete',
    parameters: [...DELETE, ...SELECT],
    codes: [200],
  },
  patch: { method: 'patch', action: 'patch', word: 'patch', parameters: [...WRITE, 'force'], codes: [200, 201] },
};
const COLLECTION = ['list', 'create', 'deletecollection'];
const ITEM = ['get', 'update', 'delete', 'patch'];
const PROXY_METHODS: Method[] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

const title = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `Core`, `RbacAuthorization`: a group's name in operation ids. */
function groupTitle(group: string): string {
  const words = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.');
  return words.map(title).join('');
}

/** The paths of one resource. `v2`: in Swagger's form. */
export function pathsOf(resource: Resource, v2: boolean): JsonObject {
  const root = `${resource.group === '' ? '/api' : '/apis'}/${formatApiVersion(resource)}`;
  const { namespaced, resource: plural } = resource;
  const verbs: readonly string[] = resource.verbs ?? ALL_VERBS;
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const scope = namespaced ? ['namespace'] : [];
  const named = ['name', ...scope];
  const paths: JsonObject = {};
  const add = (
    path: string,
    allowed: readonly string[],
    among: readonly string[],
    inPath: string[],
    infix: string,
  ): void => {
    const used = among.filter((verb) => allowed.includes(verb));
    if (used.length === 0) return;
    const operations = used.map((verb) => operationOf(resource, verb, infix));
    paths[path] = pathItem(operations.map(withPretty), inPath, v2);
  };
  const infix = namespaced ? 'Namespaced' : '';
  add(base, verbs, COLLECTION, scope, infix);
  add(`${base}/{name}`, verbs, ITEM, named, infix);
  if (namespaced) add(`${root}/${plural}`, verbs, ['list'], [], 'ForAllNamespaces');
  for (const sub of resource.subresources ?? []) {
    const path = `${base}/{name}/${sub.name}`;
    if (isConnect(sub)) Object.assign(paths, connectPaths(resource, sub, path, named, v2));
    else {
      const used = [...ITEM, 'create'].filter((verb) => (sub.verbs as readonly string[]).includes(verb));
      const operations = used.map((verb) => subresourceOperation(resource, sub, verb, infix));
      paths[path] = pathItem(operations.map(withPretty), named, v2);
    }
  }
  return paths;
}

/** The path that says what a group, or a version of one, holds. */
export function discoveryPath(group: string, version: string | undefined, v2: boolean): JsonObject {
  const path = `${group === '' ? '/api' : `/apis/${group}`}${version === undefined ? '' : `/${version}`}/`;
  const name = `get${groupTitle(group)}${version === undefined ? (group === '' ? 'APIVersions' : 'APIGroup') : `${title(version)}APIResources`}`;
  const kind = version === undefined ? (group === '' ? 'APIVersions' : 'APIGroup') : 'APIResourceList';
  const operation: Operation = {
    method: 'get',
    id: name,
    parameters: [],
    consumes: [],
    produces: PRODUCES,
    answer: `${META}.${kind}`,
    codes: [200],
  };
  return { [path]: pathItem([operation], [], v2) };
}

const withPretty = (operation: Operation): Operation => ({
  ...operation,
  parameters: [...operation.parameters, 'pretty'],
});

function operationOf(resource: Resource, verb: string, infix: string): Operation {
  const { kind, group, version } = resource;
  const gvk = { group, version, kind };
  const collection = verb === 'deletecollection' ? 'Collection' : '';
  const suffix = infix === 'ForAllNamespaces' ? `${kind}${infix}` : `${infix}${kind}`;
  return operation(resource, verb, gvk, `${collection}${suffix}`, {
    body: bodyOf(verb, gvk),
    answer:
      verb.startsWith('delete') && resource.strategy.returnsDeleted !== true
        ? `${META}.Status`
        : answerOf(resource, verb),
  });
}

function answerOf(resource: Resource, verb: string): string | undefined {
  const kind = verb === 'list' ? (resource.listKind ?? `${resource.kind}List`) : resource.kind;
  return nameOf({ ...resource, kind });
}

function subresourceOperation(resource: Resource, sub: Subresource, verb: string, infix: string): Operation {
  const gvk = { group: sub.group ?? resource.group, version: sub.version ?? resource.version, kind: sub.kind };
  const made = operation(resource, verb, gvk, `${infix}${resource.kind}${title(sub.name)}`, {
    body: bodyOf(verb, gvk),
    answer: nameOf(gvk),
  });
  if (sub.name !== 'log') return made;
  return {
    ...made,
    parameters: optionsOf('PodLogOptions'),
    produces: [...PRODUCES, 'text/plain'],
    answer: undefined,
  };
}

function operation(
  { group, version }: Resource,
  verb: string,
  gvk: GroupVersionKind,
  subject: string,
  types: { body: string | undefined; answer: string | undefined },
): Operation {
  const { method, action, word, parameters, codes } = VERBS[verb] as (typeof VERBS)[string];
  return {
    method,
    id: `${word}${groupTitle(group)}${title(version)}${subject}`,
    action,
    gvk,
    parameters,
    consumes: types.body === undefined ? [] : verb === 'patch' ? PATCH_TYPES : ['*/*'],
    produces: verb === 'list' ? PRODUCES_LIST : PRODUCES,
    ...types,
    codes,
  };
}

function bodyOf(verb: string, gvk: GroupVersionKind): string | undefined {
  if (verb === 'get' || verb === 'list') return undefined;
  if (verb === 'patch') return `${META}.Patch`;
  return verb.startsWith('delete') ? `${META}.DeleteOptions` : nameOf(gvk);
}

function nameOf(gvk: GroupVersionKind): string | undefined {
  const schema = schemaFor(formatApiVersion(gvk), gvk.kind);
  return schema === undefined ? undefined : schemaName(schema.name);
}

/** exec, attach, port-forward and proxies: a connection, not an object. */
const isConnect = (sub: Subresource): boolean => sub.kind.endsWith('Options');

/** Query parameters of a connection: the fields of its options. */
function optionsOf(kind: string): string[] {
  const fields = [...(schemaFor('v1', kind)?.fields.values() ?? [])];
  return fields.filter((field) => field.kind !== 'message').map(({ name }) => name);
}

function connectPaths(resource: Resource, sub: Subresource, path: string, named: string[], v2: boolean): JsonObject {
  const { group, version, kind, namespaced } = resource;
  const methods = sub.name === 'proxy' ? PROXY_METHODS : (['get', 'post'] as const);
  const item = (suffix: string, inPath: string[]): JsonObject =>
    pathItem(
      methods.map((method) => ({
        method,
        id: `connect${groupTitle(group)}${title(version)}${title(method)}${namespaced ? 'Namespaced' : ''}${kind}${title(sub.name)}${suffix}`,
        action: 'connect',
        gvk: { group, version, kind: sub.kind },
        parameters: optionsOf(sub.kind),
        consumes: [],
        produces: ['*/*'],
        codes: [200],
      })),
      inPath,
      v2,
    );
  const paths: JsonObject = { [path]: item('', named) };
  if (sub.name === 'proxy') paths[`${path}/{path}`] = item('WithPath', [...named, 'path']);
  return paths;
}
