/** A CRI v1 client over gRPC. Failures are `CriError`s with gRPC's code. */

import {
  type DescService,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { credentials, type Client as GrpcClient, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import type {
  AuthConfig,
  Container,
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  Image,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeCondition,
} from './cri-types.ts';
import { readSchema } from './descriptors.ts';

/** gRPC's codes that mean something here. */
export const CODES = { unknown: 2, deadlineExceeded: 4, notFound: 5, unavailable: 14 } as const;

/** A failed CRI call; `message` is what the runtime said. */
export class CriError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'CriError';
    this.code = code;
  }
}

/** Whether the runtime said that it does not have the thing asked for. */
export const isMissing = (error: unknown): boolean => error instanceof CriError && error.code === CODES.notFound;

const CALL_TIMEOUT_MS = 120_000;
const PULL_TIMEOUT_MS = 30 * 60_000;
const MAX_MESSAGE = 32 * 1024 * 1024;

type Unary = (
  request: unknown,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: unknown) => void,
) => { cancel(): void };

/** One gRPC service whose messages are JSON on our side. */
class Service {
  readonly #client: GrpcClient & Record<string, Unary>;

  constructor(schema: DescService, socket: string) {
    const methods = Object.fromEntries(
      schema.methods.map((method) => [
        method.name,
        {
          path: `/${schema.typeName}/${method.name}`,
          requestStream: false,
          responseStream: method.methodKind === 'server_streaming',
          requestSerialize: (value: JsonValue) => Buffer.from(toBinary(method.input, fromJson(method.input, value))),
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) =>
            toJson(method.output, fromBinary(method.output, bytes), { alwaysEmitImplicit: true }),
        },
      ]),
    );
    const ServiceClient = makeGenericClientConstructor(methods, schema.name);
    this.#client = new ServiceClient(`unix://${socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2000,
    }) as unknown as GrpcClient & Record<string, Unary>;
  }

  call<T>(method: string, request: object, timeoutMs = CALL_TIMEOUT_MS, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const unary = this.#client[method];
      if (unary === undefined) {
        reject(new CriError(12, `the runtime has no ${method}`));
        return;
      }
      // JSON drops what is undefined: protobuf's JSON form knows only absence.
      const body: unknown = JSON.parse(JSON.stringify(request));
      const cancel = (): void => call.cancel();
      const call = unary.call(this.#client, body, { deadline: Date.now() + timeoutMs }, (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error !== null) reject(new CriError(error.code, error.details || error.message));
        else resolve(response as T);
      });
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  close(): void {
    this.#client.close();
  }
}

export interface ExecSyncResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

export interface StreamRequest {
  containerId: string;
  cmd?: string[];
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** The runtime and its images. The connection is made when first used and again whenever the runtime was restarted. */
export class CriClient {
  readonly socket: string;
  readonly #runtime: Service;
  readonly #images: Service;

  /** `socket`: path of the runtime's socket; `binary`: where to read the schema. */
  constructor(socket: string, binary = '/usr/bin/containerd') {
    const schema: FileRegistry = readSchema(binary, 'runtime.v1');
    const service = (name: string): Service => {
      const found = schema.getService(`runtime.v1.${name}`);
      if (found === undefined) throw new Error(`${binary} does not know runtime.v1.${name}`);
      return new Service(found, socket);
    };
    this.socket = socket;
    this.#runtime = service('RuntimeService');
    this.#images = service('ImageService');
  }

  close(): void {
    this.#runtime.close();
    this.#images.close();
  }

  version(): Promise<{ runtimeName: string; runtimeVersion: string }> {
    return this.#runtime.call('Version', {}, 5000);
  }

  /** `RuntimeReady` and `NetworkReady`. */
  async status(): Promise<RuntimeCondition[]> {
    const { status } = await this.#runtime.call<{ status: { conditions: RuntimeCondition[] } }>('Status', {}, 10_000);
    return status.conditions;
  }

  async runPodSandbox(config: PodSandboxConfig): Promise<string> {
    return (await this.#runtime.call<{ podSandboxId: string }>('RunPodSandbox', { config }, 4 * 60_000)).podSandboxId;
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    await this.#runtime.call('StopPodSandbox', { podSandboxId });
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    await this.#runtime.call('RemovePodSandbox', { podSandboxId });
  }

  async podSandboxStatus(podSandboxId: string): Promise<PodSandboxStatus> {
    return (await this.#runtime.call<{ status: PodSandboxStatus }>('PodSandboxStatus', { podSandboxId })).status;
  }

  async listPodSandboxes(labels: Record<string, string> = {}): Promise<PodSandbox[]> {
    const request = { filter: { labelSelector: labels } };
    return (await this.#runtime.call<{ items: PodSandbox[] }>('ListPodSandbox', request, 20_000)).items;
  }

  async createContainer(
    podSandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
  ): Promise<string> {
    const request = { podSandboxId, config, sandboxConfig };
    return (await this.#runtime.call<{ containerId: string }>('CreateContainer', request)).containerId;
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#runtime.call('StartContainer', { containerId });
  }

  /** SIGTERM (or the image's own signal), then SIGKILL after `timeoutSeconds`. */
  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    const request = { containerId, timeout: String(timeoutSeconds) };
    await this.#runtime.call('StopContainer', request, CALL_TIMEOUT_MS + timeoutSeconds * 1000);
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.#runtime.call('RemoveContainer', { containerId });
  }

  async listContainers(labels: Record<string, string> = {}): Promise<Container[]> {
    const request = { filter: { labelSelector: labels } };
    return (await this.#runtime.call<{ containers: Container[] }>('ListContainers', request, 20_000)).containers;
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    return (await this.#runtime.call<{ status: ContainerStatus }>('ContainerStatus', { containerId }, 20_000)).status;
  }

  async updateContainerResources(containerId: string, linux: LinuxContainerResources): Promise<void> {
    await this.#runtime.call('UpdateContainerResources', { containerId, linux });
  }

  /** Makes the runtime open the log path anew, after it was renamed. */
  async reopenContainerLog(containerId: string): Promise<void> {
    await this.#runtime.call('ReopenContainerLog', { containerId });
  }

  /** Runs a command in the container; code 4 (`deadlineExceeded`) when it took longer than `timeoutSeconds`. */
  async execSync(containerId: string, cmd: string[], timeoutSeconds: number): Promise<ExecSyncResult> {
    const request = { containerId, cmd, timeout: String(timeoutSeconds) };
    const margin = timeoutSeconds === 0 ? CALL_TIMEOUT_MS : timeoutSeconds * 1000 + 10_000;
    const result = await this.#runtime.call<{ stdout: string; stderr: string; exitCode: number }>(
      'ExecSync',
      request,
      margin,
    );
    return {
      stdout: Buffer.from(result.stdout, 'base64'),
      stderr: Buffer.from(result.stderr, 'base64'),
      exitCode: result.exitCode,
    };
  }

  /** URL of the runtime's streaming server for an exec; to be opened once, soon. */
  async exec(request: StreamRequest): Promise<string> {
    return (await this.#runtime.call<{ url: string }>('Exec', request)).url;
  }

  /** URL of the runtime's streaming server for an attach. */
  async attach(request: Omit<StreamRequest, 'cmd'>): Promise<string> {
    return (await this.#runtime.call<{ url: string }>('Attach', request)).url;
  }

  /** URL of the runtime's streaming server for port-forwards into a sandbox. */
  async portForward(podSandboxId: string, port: number[]): Promise<string> {
    return (await this.#runtime.call<{ url: string }>('PortForward', { podSandboxId, port })).url;
  }

  /** CPU and memory of all running containers. containerd's `usageNanoCores` is always 0: derive rates from two samples. */
  async listContainerStats(): Promise<ContainerStats[]> {
    return (await this.#runtime.call<{ stats: ContainerStats[] }>('ListContainerStats', {}, 20_000)).stats;
  }

  async listImages(): Promise<Image[]> {
    return (await this.#images.call<{ images: Image[] }>('ListImages', {}, 20_000)).images;
  }

  /** The image, or undefined where the runtime does not have it. */
  async imageStatus(image: string): Promise<Image | undefined> {
    const request = { image: { image } };
    return (await this.#images.call<{ image?: Image | null }>('ImageStatus', request, 20_000)).image ?? undefined;
  }

  /** Answers with the reference to create containers from. */
  async pullImage(image: string, auth?: AuthConfig, signal?: AbortSignal): Promise<string> {
    const request = { image: { image }, auth };
    return (await this.#images.call<{ imageRef: string }>('PullImage', request, PULL_TIMEOUT_MS, signal)).imageRef;
  }

  async removeImage(image: string): Promise<void> {
    await this.#images.call('RemoveImage', { image: { image } });
  }
}
