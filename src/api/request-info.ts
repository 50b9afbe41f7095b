/** What a request asks for, read from its method and path, after upstream's `RequestInfoResolver`. */

export type ApiVerb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'
  | (string & {});

export interface RequestInfo {
  /** The cluster that the request is for: `/clusters/<name>/…`, or `default`. */
  cluster: string;
  /** Without the cluster's prefix. */
  path: string;
  /** Of a resource: the API's verb; else the lower-case method. */
  verb: ApiVerb;
  isResource: boolean;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  /** What follows the subresource: the path that `proxy` passes on. */
  rest: string;
}

export const DEFAULT_CLUSTER = 'default';

const CLUSTER_PREFIX = /^\/clusters\/([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\/.*)?$/;
const METHODS: Record<string, ApiVerb> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Splits off the cluster; the rest of the path is what a server for that cluster alone would see. */
function splitCluster(pathname: string): { cluster: string; path: string } {
  if (!pathname.startsWith('/clusters/')) return { cluster: DEFAULT_CLUSTER, path: pathname };
  const match = CLUSTER_PREFIX.exec(pathname);
  return match === null ? { cluster: '', path: pathname } : { cluster: match[1] as string, path: match[3] ?? '/' };
}

/** Reads a request. A path that is no resource's leaves `isResource` false; nothing here fails. */
export function requestInfo(method: string, url: URL): RequestInfo {
  const { cluster, path } = splitCluster(url.pathname);
  const info: RequestInfo = {
    cluster,
    path,
    verb: method.toLowerCase(),
    isResource: false,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    rest: '',
  };
  const parts = path.split('/').slice(1);
  if (parts.at(-1) === '') parts.pop();
  const prefix = parts[0] === 'api' ? 2 : parts[0] === 'apis' ? 3 : 0;
  if (prefix === 0 || parts.length <= prefix) return info;
  info.isResource = true;
  if (prefix === 3) info.group = parts[1] as string;
  info.version = parts[prefix - 1] as string;
  let at = prefix;
  if (parts[at] === 'namespaces') {
    const name = parts[at + 1];
    const next = parts[at + 2];
    const ofNamespace = next === undefined || next === 'status' || next === 'finalize';
    if (name !== undefined) info.namespace = decode(name);
    if (!ofNamespace) at += 2;
  }
  info.resource = parts[at] as string;
  if (parts[at + 1] !== undefined) info.name = decode(parts[at + 1] as string);
  if (parts[at + 2] !== undefined) info.subresource = parts[at + 2] as string;
  info.rest = parts.slice(at + 3).join('/');
  info.verb = resourceVerb(method, url, info);
  return info;
}

function resourceVerb(method: string, url: URL, info: RequestInfo): ApiVerb {
  const verb = METHODS[method] ?? method.toLowerCase();
  if (info.name !== '') return verb;
  if (verb === 'get') return isTrue(url.searchParams.get('watch')) ? 'watch' : 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

/** Subresources that stay open as long as their clients like. */
const CONNECTS = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

/** Whether a request stays open for something that is not a watch (`BasicLongRunningRequestCheck`). */
export const connects = ({ isResource, subresource, verb }: RequestInfo): boolean =>
  isResource && (CONNECTS.has(subresource) || verb === 'proxy');

/** How Go reads a boolean parameter; an empty one counts as set. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
