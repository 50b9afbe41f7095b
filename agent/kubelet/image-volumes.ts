/** Volumes of images, which are pulled and mounted when the first container that mounts them starts, and stay as they are then. */
import type { Container, ImageVolumeSource, Pod } from '../../src/generated/types/core.v1.ts';
import type { KubeletDeps } from './deps.ts';
import { imageVolumeFailed } from './images.ts';
import type { HostPaths } from './volumes/manager.ts';

/** Those of one pod while its containers are being started: an image that could not be had is not asked for again meanwhile. */
export class ImageVolumes {
  readonly #deps: KubeletDeps;
  readonly #pod: Pod;
  readonly #signal: AbortSignal;
  readonly #tried = new Map<string, Promise<string>>();

  constructor(deps: KubeletDeps, pod: Pod, signal: AbortSignal) {
    this.#deps = deps;
    this.#pod = pod;
    this.#signal = signal;
  }

  /** Where those that the container mounts are. Throws a WaitingError: of several, the last one's, as upstream does. */
  async of(container: Container): Promise<HostPaths> {
    const paths: HostPaths = new Map();
    let failure: unknown;
    for (const { name = '' } of container.volumeMounts ?? []) {
      const image = this.#pod.spec?.volumes?.find((volume) => volume.name === name)?.image;
      if (image === undefined) continue;
      try {
        paths.set(name, await this.#once(name, image));
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return paths;
  }

  #once(name: string, image: ImageVolumeSource): Promise<string> {
    let tried = this.#tried.get(name);
    if (tried === undefined) {
      tried = this.#mount(name, image);
      this.#tried.set(name, tried);
    }
    return tried;
  }

  async #mount(name: string, { reference = '', pullPolicy }: ImageVolumeSource): Promise<string> {
    const { volumes, images, config } = this.#deps;
    const uid = this.#pod.metadata.uid ?? '';
    const mounted = volumes.mountedImage(uid, name);
    if (mounted !== undefined) return mounted;
    const { id } = await images.ensure(this.#pod, { reference, pullPolicy }, config.for(uid), this.#signal);
    try {
      return await volumes.mountImage(uid, name, id);
    } catch (error) {
      throw imageVolumeFailed(error);
    }
  }
}
