/** What conformance tests share: a control plane with three simulated nodes, reached through the official JavaScript client. */
import { randomBytes } from 'node:crypto';
import {
  ApiException,
  HttpMethod,
  KubeConfig,
  KubernetesObjectApi,
  type RequestContext,
  Watch,
} from '@kubernetes/client-node';
import { type ControlPlane, startControlPlane } from '../../../cli/harness/control-plane.ts';
import type { KubeObject, Status } from '../../../src/apimachinery/meta.ts';
import type { Namespace } from '../../../src/generated/types/core.v1.ts';
import { Resource } from './resource.ts';

type Query = Record<string, string | number | boolean | undefined>;

export interface Call {
  method?: keyof typeof HttpMethod;
  query?: Query;
  body?: unknown;
  contentType?: string;
  accept?: string;
}

/** The client's own transport and credentials, for any path: subresources and collections too. */
export class Api extends KubernetesObjectApi {
  /** The answer's text; throws an ApiException with the Status when the server refuses. */
  async text(path: string, call: Call = {}): Promise<string> {
    const { method = 'GET', query = {}, body, contentType = 'application/json', accept = 'application/json' } = call;
    const request: RequestContext = this.configuration.baseServer.makeRequestContext(path, HttpMethod[method]);
    request.setHeaderParam('Accept', accept);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) request.setQueryParam(name, String(value));
    }
    if (body !== undefined) {
      request.setHeaderParam('Content-Type', contentType);
      request.setBody(typeof body === 'string' ? body : JSON.stringify(body));
    }
    await this.configuration.authMethods.default?.applySecurityAuthentication(request);
    const response = await this.configuration.httpApi.send(request).toPromise();
    const text = await response.body.text();
    const { httpStatusCode, headers } = response;
    if (httpStatusCode >= 300) throw new ApiException(httpStatusCode, text, statusIn(text), headers);
    if (headers['warning'] !== undefined) this.warnings.push(headers['warning']);
    return text;
  }

  /** `Warning` headers of answers, in order. */
  readonly warnings: string[] = [];

  async json<T>(path: string, call: Call = {}): Promise<T> {
    return JSON.parse(await this.text(path, call)) as T;
  }
}

function statusIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

/** What a request that must fail was refused with. */
export async function refusal(work: Promise<unknown>): Promise<Status> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ApiException) return error.body as Status;
    throw error;
  }
  throw new Error('nothing was refused');
}

export class Cluster {
  readonly config = new KubeConfig();
  readonly api: Api;
  readonly plane: ControlPlane;

  private constructor(plane: ControlPlane) {
    this.plane = plane;
    this.config.loadFromFile(plane.kubeconfig);
    this.api = this.config.makeApiClient(Api);
  }

  static async start(nodes = 'simulated=3'): Promise<Cluster> {
    return new Cluster(await startControlPlane({ nodes }));
  }

  stop(): Promise<void> {
    return this.plane.stop({ keepData: false });
  }

  /** A resource of the whole cluster, or of one namespace. */
  of<T extends KubeObject>(apiVersion: string, plural: string, namespace?: string): Resource<T> {
    const prefix = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const path = `${prefix}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`;
    return new Resource<T>(this.api, new Watch(this.config), path);
  }

  /** A namespace that is there already. */
  existing(name: string): TestNamespace {
    return new TestNamespace(this, name);
  }

  /** A new namespace for one test, once pods can be made in it. */
  async namespace(name = `test-${randomBytes(4).toString('hex')}`): Promise<TestNamespace> {
    await this.of<Namespace>('v1', 'namespaces').create({ metadata: { name } });
    const namespace = new TestNamespace(this, name);
    await namespace.of('v1', 'serviceaccounts').until('default', () => true);
    return namespace;
  }
}

export class TestNamespace {
  readonly cluster: Cluster;
  readonly name: string;

  constructor(cluster: Cluster, name: string) {
    this.cluster = cluster;
    this.name = name;
  }

  of<T extends KubeObject>(apiVersion: string, plural: string): Resource<T> {
    return this.cluster.of<T>(apiVersion, plural, this.name);
  }
}
