/** Images for containers and volumes: pull policies, credentials, back-off, and the events that tell of them. */
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { type CriClient, CriError } from '../runtime/cri.ts';
import type { Image } from '../runtime/cri-types.ts';
import { Backoff, RESTART_BACKOFF } from './backoff.ts';
import type { PodConfigSource } from './config-source.ts';
import type { EventRecorder } from './events.ts';
import { formatImageName, type ImageName, parseImageName } from './image-name.ts';
import { pullCredentials } from './pull-secrets.ts';

/** Why a container waits: becomes `state.waiting`. */
export class WaitingError extends Error {
  readonly reason: string;
  /** When another try makes sense, in milliseconds since 1970. */
  readonly retryAt: number | undefined;

  constructor(reason: string, message: string, retryAt?: number) {
    super(message);
    this.reason = reason;
    this.retryAt = retryAt;
  }
}

/** The image is there, but cannot be mounted: as kubelet says it of a runtime that mounts images by itself. */
export function imageVolumeFailed(error: unknown): WaitingError {
  const why = error instanceof Error ? error.message : String(error);
  return new WaitingError('CreateContainerError', `ImageVolumeMountFailed: ${why}`);
}

/** An image that a pod needs. */
export interface WantedImage {
  reference: string;
  /** Upstream's `imagePullPolicy`; by the tag where it is left out. */
  pullPolicy: string | undefined;
  /** The part of the pod that its events are about. */
  fieldPath?: string;
}

const CODE_NAMES: Record<number, string> = {
  1: 'Canceled',
  2: 'Unknown',
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  7: 'PermissionDenied',
  13: 'Internal',
  14: 'Unavailable',
};

/** A failed CRI call as Go prints it: `rpc error: code = NotFound desc = …`. */
export function rpcText(error: unknown): string {
  if (error instanceof CriError)
    return `rpc error: code = ${CODE_NAMES[error.code] ?? 'Unknown'} desc = ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

export class ImageManager {
  readonly #cri: CriClient;
  readonly #events: EventRecorder;
  readonly #backoff = new Backoff(RESTART_BACKOFF);
  readonly #failures = new Map<string, { at: number; message: string }>();
  readonly #pulls = new Map<string, Promise<string>>();

  constructor(cri: CriClient, events: EventRecorder) {
    this.#cri = cri;
    this.#events = events;
  }

  /** The image, pulled if need be. Throws a {@link WaitingError} with upstream's reason. */
  async ensure(pod: Pod, wanted: WantedImage, config: PodConfigSource, signal: AbortSignal): Promise<Image> {
    const image = wanted.reference;
    const event = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
      this.#events.record(pod, type, reason, message, wanted.fieldPath);
    let name: ImageName;
    try {
      name = parseImageName(image);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      event('Warning', 'InspectFailed', message);
      throw new WaitingError('InvalidImageName', message);
    }
    const policy = wanted.pullPolicy ?? (name.tag === 'latest' ? 'Always' : 'IfNotPresent');
    const full = formatImageName(name);
    const present = await this.#cri.imageStatus(full);
    if (present !== undefined && policy !== 'Always') {
      event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', message);
      throw new WaitingError('ErrImageNeverPull', message);
    }
    return this.#pull(pod, image, name, config, event, signal);
  }

  async #pull(
    pod: Pod,
    image: string,
    name: ImageName,
    config: PodConfigSource,
    event: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
    signal: AbortSignal,
  ): Promise<Image> {
    const key = `${pod.metadata.uid}/${image}`;
    const failure = this.#failures.get(key);
    const startedAt = Date.now();
    const wait = failure === undefined ? undefined : this.#backoff.check(key, failure.at, startedAt);
    if (failure !== undefined && wait !== undefined) {
      const message = `Back-off pulling image "${image}"`;
      event('Normal', 'BackOff', message);
      throw new WaitingError('ImagePullBackOff', `${message}: ErrImagePull: ${failure.message}`, wait.until);
    }
    event('Normal', 'Pulling', `Pulling image "${image}"`);
    try {
      const reference = await this.#pullOnce(pod, name, config, signal);
      const pulled = await this.#cri.imageStatus(reference);
      if (pulled === undefined) throw new Error(`the runtime lost image ${reference}`);
      const took = `${((Date.now() - startedAt) / 1000).toFixed(3).replace(/\.?0+$/, '')}s`;
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${pulled.size} bytes.`,
      );
      this.#failures.delete(key);
      return pulled;
    } catch (error) {
      const message = rpcText(error);
      event('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      const at = Date.now();
      this.#backoff.next(key, at, at);
      this.#failures.set(key, { at, message });
      throw new WaitingError('ErrImagePull', message, at + 1000);
    }
  }

  /** Tries each credential, or none; pods that want the same image with the same credentials share the pull. */
  async #pullOnce(pod: Pod, name: ImageName, config: PodConfigSource, signal: AbortSignal): Promise<string> {
    const credentials = await pullCredentials(pod, name, config);
    const full = formatImageName(name);
    let failure: unknown;
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      const key = JSON.stringify([full, auth]);
      let pull = this.#pulls.get(key);
      if (pull === undefined) {
        pull = this.#cri.pullImage(full, auth).finally(() => this.#pulls.delete(key));
        this.#pulls.set(key, pull);
      }
      try {
        return await abortable(pull, signal);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Forgets what happened to the pod's pulls. */
  release(uid: string): void {
    this.#backoff.forget(`${uid}/`);
    for (const key of this.#failures.keys()) if (key.startsWith(`${uid}/`)) this.#failures.delete(key);
  }
}

/** Stops waiting for `promise` when `signal` aborts; the work itself goes on for whoever else waits. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('the pod is being deleted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
