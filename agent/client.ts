/** The Kubernetes API over HTTP/1.1 with kept-alive connections: what the agent's parts read and write the cluster through. */
import http from 'node:http';
import https from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import type {
  Client,
  DeleteOptions,
  ListOptions,
  ObjectList,
  PatchType,
  ResourceId,
} from '../src/apimachinery/client.ts';
import { failure, isReason, StatusError } from '../src/apimachinery/errors.ts';
import type { Json, KubeObject, Status } from '../src/apimachinery/meta.ts';

export interface HttpClientOptions {
  /** `https://host[:port][/clusters/<name>]`. */
  server: string;
  /** PEM of the CAs to trust besides the machine's own. */
  ca?: string;
  /** Asked before every request, so that a renewed token is used at once. */
  token: () => string;
  /** Told the status of every answer to a request with that token. */
  answered?: (status: number) => void;
}

export interface WatchOptions {
  namespace?: string;
  fieldSelector?: string;
  labelSelector?: string;
  resourceVersion?: string;
  sendInitialEvents?: boolean;
  signal?: AbortSignal;
}

/** One line of a watch stream. `ERROR` never reaches a caller: it is thrown. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

interface RequestOptions {
  body?: Json;
  contentType?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Instead of the client's own token; for joining. */
  bearer?: string;
}

const PATCH_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};
const REQUEST_TIMEOUT_MS = 30_000;
/** The longest line of a watch: an object is at most a few MiB. */
const MAX_LINE = 16 * 1024 * 1024;

/** The path of a resource: `/api/v1/namespaces/x/pods/y/status`. Empty parts are left out. */
function resourcePath(resource: ResourceId, namespace?: string, name?: string, subresource?: string): string {
  const slash = resource.indexOf('/');
  const group = resource.slice(0, slash);
  const parts = [group === 'core' ? '/api/v1' : `/apis/${group}/v1`];
  if (namespace) parts.push('namespaces', encodeURIComponent(namespace));
  parts.push(resource.slice(slash + 1));
  if (name) parts.push(encodeURIComponent(name));
  if (subresource) parts.push(subresource);
  return parts.join('/');
}

function query(values: Record<string, string | undefined>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** The `Status` in a failed response, or one made up from its code. */
function statusError(code: number, text: string): StatusError {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'kind' in parsed && parsed.kind === 'Status') {
      return new StatusError(parsed as Status);
    }
  } catch {
    // Not JSON: a proxy in between has answered.
  }
  const reasons: Record<number, string> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict' };
  return new StatusError(failure(code, reasons[code] ?? 'InternalError', text.slice(0, 512) || `HTTP status ${code}`));
}

/** `Client` over HTTP, with watches. Failures to connect are thrown as they are (`ECONNREFUSED` and so on). */
export class HttpClient implements Client {
  readonly server: string;
  readonly ca: string | undefined;
  readonly #token: () => string;
  readonly #answered: (status: number) => void;
  readonly #agent: http.Agent;
  readonly #secure: boolean;

  constructor(options: HttpClientOptions) {
    this.server = options.server.replace(/\/+$/, '');
    this.ca = options.ca;
    this.#token = options.token;
    this.#answered = options.answered ?? (() => {});
    this.#secure = this.server.startsWith('https:');
    const pool = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 8 };
    this.#agent = this.#secure
      ? new https.Agent(options.ca === undefined || options.ca === '' ? pool : { ...pool, ca: options.ca })
      : new http.Agent(pool);
  }

  /** The credential in use now; for sockets that the caller opens itself. */
  token(): string {
    return this.#token();
  }

  /** Closes idle connections; open watches end through their own signals. */
  close(): void {
    this.#agent.destroy();
  }

  async get<T extends KubeObject>(resource: ResourceId, namespace: string, name: string): Promise<T | undefined> {
    try {
      return (await this.request('GET', resourcePath(resource, namespace, name))) as unknown as T;
    } catch (error) {
      if (isReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(resource: ResourceId, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { labelSelector, fieldSelector } = options;
    const path = resourcePath(resource, options.namespace) + query({ labelSelector, fieldSelector });
    const list = (await this.request('GET', path)) as unknown as {
      metadata?: { resourceVersion?: string };
      items?: T[];
    };
    return { resourceVersion: list.metadata?.resourceVersion ?? '', items: list.items ?? [] };
  }

  async create<T extends KubeObject>(resource: ResourceId, object: T, subresource?: string): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = resourcePath(resource, namespace, subresource === undefined ? undefined : name, subresource);
    return (await this.request('POST', path, { body: object as unknown as Json })) as unknown as T;
  }

  async update<T extends KubeObject>(resource: ResourceId, object: T, subresource?: string): Promise<T> {
    const path = resourcePath(resource, object.metadata.namespace, object.metadata.name, subresource);
    return (await this.request('PUT', path, { body: object as unknown as Json })) as unknown as T;
  }

  async patch<T extends KubeObject>(
    resource: ResourceId,
    namespace: string,
    name: string,
    type: PatchType,
    patch: Json,
    subresource?: string,
  ): Promise<T> {
    const apply = type === 'apply' ? query({ fieldManager: 'zeroplane-agent', force: 'true' }) : '';
    const path = resourcePath(resource, namespace, name, subresource) + apply;
    return (await this.request('PATCH', path, { body: patch, contentType: PATCH_TYPES[type] })) as unknown as T;
  }

  async delete(resource: ResourceId, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options } as unknown as Json;
    await this.request('DELETE', resourcePath(resource, namespace, name), { body });
  }

  /** Any request below the server's address; answers with the parsed JSON body (null when empty). */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Json> {
    const response = await this.#send(method, path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const code = response.statusCode ?? 0;
    if (code < 200 || code > 299) throw statusError(code, text);
    return text === '' ? null : (JSON.parse(text) as Json);
  }

  /**
   * Follows a resource until the server ends the stream or `signal` aborts; `onEvent` is called in order.
   * Throws a `StatusError` for a refused watch and for an ERROR event (410 Expired: list again).
   */
  async watch<T extends KubeObject>(
    resource: ResourceId,
    options: WatchOptions,
    onEvent: (event: WatchEvent<T>) => void,
  ): Promise<void> {
    const initial = options.sendInitialEvents === true;
    const parameters = query({
      watch: 'true',
      allowWatchBookmarks: 'true',
      fieldSelector: options.fieldSelector,
      labelSelector: options.labelSelector,
      resourceVersion: options.resourceVersion,
      sendInitialEvents: initial ? 'true' : undefined,
      resourceVersionMatch: initial ? 'NotOlderThan' : undefined,
      timeoutSeconds: String(300 + Math.floor(Math.random() * 300)),
    });
    const path = resourcePath(resource, options.namespace) + parameters;
    const response = await this.#send('GET', path, options.signal === undefined ? {} : { signal: options.signal });
    const code = response.statusCode ?? 0;
    if (code !== 200) {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      throw statusError(code, Buffer.concat(chunks).toString('utf8'));
    }
    response.socket.setTimeout(0);
    for await (const line of lines(response)) {
      const event = JSON.parse(line) as { type: WatchEvent['type'] | 'ERROR'; object: T };
      if (event.type === 'ERROR') throw new StatusError(event.object as unknown as Status);
      onEvent({ type: event.type, object: event.object });
    }
  }

  #send(method: string, path: string, options: RequestOptions): Promise<http.IncomingMessage> {
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const headers: Record<string, string | number> = { accept: 'application/json', 'user-agent': 'zeroplane-agent' };
    const bearer = options.bearer ?? this.#token();
    if (bearer !== '') headers['authorization'] = `Bearer ${bearer}`;
    if (payload !== undefined) {
      headers['content-type'] = options.contentType ?? 'application/json';
      headers['content-length'] = payload.length;
    }
    return new Promise((resolve, reject) => {
      const send = this.#secure ? https.request : http.request;
      const settings: https.RequestOptions = { method, headers, agent: this.#agent };
      if (options.signal !== undefined) settings.signal = options.signal;
      const request = send(`${this.server}${path}`, settings, (response) => {
        if (options.bearer === undefined) this.#answered(response.statusCode ?? 0);
        resolve(response);
      });
      request.setTimeout(options.timeoutMs ?? REQUEST_TIMEOUT_MS, () =>
        request.destroy(new Error(`no answer from ${this.server} in time`)),
      );
      request.on('socket', (socket) => socket.setKeepAlive(true, 15_000));
      request.on('error', reject);
      request.end(payload);
    });
  }
}

async function* lines(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  for await (const chunk of stream) {
    const parts = (pending + decoder.write(chunk as Buffer)).split('\n');
    pending = parts.pop() ?? '';
    if (pending.length > MAX_LINE) throw new Error('a line of the watch is too long');
    for (const part of parts) if (part !== '') yield part;
  }
}
