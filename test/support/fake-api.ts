/** A very small API server for tests of the agent: it stores, lists, watches and patches, and validates nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeObject {
  apiVersion?: string;
  kind?: string;
  metadata: Record<string, unknown> & { name: string; namespace?: string };
  [field: string]: unknown;
}

interface Watcher {
  resource: string;
  selects: (object: FakeObject) => boolean;
  response: ServerResponse;
}

interface Target {
  resource: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Merge patch; with `byKey`, lists of conditions and podIPs are merged by their keys as a strategic one would. */
function merge(target: unknown, patch: unknown, byKey: boolean, field = ''): unknown {
  const key = { conditions: 'type', podIPs: 'ip', addresses: 'type' }[field];
  if (byKey && key !== undefined && Array.isArray(patch)) {
    const list: Record<string, unknown>[] = Array.isArray(target) ? [...target] : [];
    for (const item of patch as Record<string, unknown>[]) {
      const at = list.findIndex((candidate) => candidate[key] === item[key]);
      if (item['$patch'] === 'delete') {
        if (at >= 0) list.splice(at, 1);
      } else if (at >= 0) list[at] = merge(list[at], item, byKey) as Record<string, unknown>;
      else list.push(item);
    }
    return list;
  }
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value, byKey, name);
  }
  return result;
}

export class FakeApi {
  readonly requests: string[] = [];
  readonly #objects = new Map<string, FakeObject>();
  readonly #watchers = new Set<Watcher>();
  readonly #log: { version: number; resource: string; type: string; object: FakeObject }[] = [];
  #server: Server;
  #version = 1;
  #uid = 0;
  #port = 0;

  constructor() {
    this.#server = this.#create();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens on a free port, or on the one it had before {@link stop}. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As if killed: connections break, objects stay. */
  async stop(): Promise<void> {
    this.#watchers.clear();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#server = this.#create();
  }

  all(resource: string): FakeObject[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${resource}:`)).map(([, object]) => object);
  }

  get(resource: string, namespace: string, name: string): FakeObject | undefined {
    return this.#objects.get(`${resource}:${namespace}/${name}`);
  }

  /** Creates or replaces. */
  put(resource: string, object: FakeObject): FakeObject {
    const key = `${resource}:${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const old = this.#objects.get(key);
    const stored: FakeObject = {
      ...object,
      metadata: {
        generation: 1,
        uid:
          old?.metadata['uid'] ??
          `00000000-0000-4000-8000-${String(++this.#uid).padStart(6, '0')}${String(Date.now()).slice(-6)}`,
        creationTimestamp: new Date().toISOString(),
        ...object.metadata,
        resourceVersion: String(++this.#version),
      },
    };
    this.#objects.set(key, stored);
    this.#publish(resource, old === undefined ? 'ADDED' : 'MODIFIED', stored);
    return stored;
  }

  remove(resource: string, namespace: string, name: string): void {
    const key = `${resource}:${namespace}/${name}`;
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    const metadata = { ...old.metadata, resourceVersion: String(++this.#version) };
    this.#publish(resource, 'DELETED', { ...old, metadata });
  }

  /** What `kubectl delete pod` does: the kubelet has the last word. */
  markDeleted(namespace: string, name: string, gracePeriodSeconds: number): void {
    const pod = this.get('core/pods', namespace, name);
    if (pod === undefined) return;
    const metadata = {
      ...pod.metadata,
      deletionTimestamp: new Date(Date.now() + gracePeriodSeconds * 1000).toISOString(),
      deletionGracePeriodSeconds: gracePeriodSeconds,
    };
    this.put('core/pods', { ...pod, metadata });
  }

  #publish(resource: string, type: string, object: FakeObject): void {
    this.#log.push({ version: this.#version, resource, type, object });
    for (const watcher of this.#watchers) {
      if (watcher.resource === resource && watcher.selects(object)) {
        watcher.response.write(`${JSON.stringify({ type, object })}\n`);
      }
    }
  }

  #create(): Server {
    return createServer((request, response) => {
      void this.#handle(request, response).catch((error: unknown) => {
        if (!response.headersSent) this.#fail(response, 500, 'InternalError', String(error));
      });
    });
  }

  #fail(response: ServerResponse, code: number, reason: string, message: string): void {
    response.writeHead(code, { 'content-type': 'application/json' });
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
    response.end(JSON.stringify(status));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    this.requests.push(`${request.method} ${url.pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const body = text === '' ? undefined : (JSON.parse(text) as FakeObject);
    const target = parse(url.pathname);
    const answer = (object: unknown, code = 200): void => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(object));
    };
    if (target === undefined) return this.#fail(response, 404, 'NotFound', 'no such path');
    const { resource, namespace = '', name, subresource } = target;
    const key = `${resource}:${namespace}/${name}`;
    if (request.method === 'POST') {
      if (subresource === 'token') {
        const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString();
        return answer({ ...body, status: { token: `token-of-${name}`, expirationTimestamp } }, 201);
      }
      const object = body as FakeObject;
      if (this.get(resource, namespace, object.metadata.name) !== undefined) {
        return this.#fail(response, 409, 'AlreadyExists', 'already exists');
      }
      return answer(this.put(resource, { ...object, metadata: { ...object.metadata, namespace } }), 201);
    }
    if (name === undefined) return this.#collection(target, url.searchParams, response, answer);
    const old = this.#objects.get(key);
    if (old === undefined) return this.#fail(response, 404, 'NotFound', `${resource} "${name}" not found`);
    if (request.method === 'GET') return answer(old);
    if (request.method === 'DELETE') {
      this.remove(resource, namespace, name);
      return answer(old);
    }
    if (request.method === 'PUT') return answer(this.put(resource, body as FakeObject));
    const strategic = request.headers['content-type'] === 'application/strategic-merge-patch+json';
    answer(this.put(resource, merge(old, body, strategic) as FakeObject));
  }

  #collection(
    { resource, namespace }: Target,
    query: URLSearchParams,
    response: ServerResponse,
    answer: (object: unknown) => void,
  ): void {
    const wanted = (query.get('fieldSelector') ?? '').split(',').map((term) => term.split('='));
    const selects = (object: FakeObject): boolean =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      wanted.every(([path = '', value]) => {
        if (path === 'metadata.name') return object.metadata.name === value;
        if (path === 'spec.nodeName') return (object['spec'] as { nodeName?: string } | undefined)?.nodeName === value;
        return true;
      });
    const items = this.all(resource).filter(selects);
    if (query.get('watch') !== 'true') {
      answer({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) }, items });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    const send = (type: string, object: unknown): boolean => response.write(`${JSON.stringify({ type, object })}\n`);
    if (query.get('sendInitialEvents') === 'true') {
      for (const object of items) send('ADDED', object);
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      send('BOOKMARK', { metadata: { name: '', resourceVersion: String(this.#version), annotations } });
    } else {
      const since = Number(query.get('resourceVersion') ?? this.#version);
      for (const entry of this.#log) {
        if (entry.version > since && entry.resource === resource && selects(entry.object))
          send(entry.type, entry.object);
      }
    }
    const watcher = { resource, selects, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
  }
}

function parse(path: string): Target | undefined {
  const match = /^\/(?:api|apis\/([^/]+))\/v1\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
    path,
  );
  if (match === null) return undefined;
  const [, group = 'core', namespace, plural, name, subresource] = match;
  return { resource: `${group}/${plural}`, namespace, name, subresource };
}
