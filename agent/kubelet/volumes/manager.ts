/** Sets up a pod's volumes on the node, keeps their contents current, and takes them away again. */
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../src/generated/types/core.v1.ts';
import type { HttpClient } from '../../client.ts';
import { quantity } from '../quantity.ts';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { dropImages, isImageMounted, mountImage } from './image.ts';
import { mountTmpfs, setGroup, unmountBelow } from './mount.ts';
import { type PayloadSources, volumePayload } from './payload.ts';

/** A volume could not be set up; the message is that of upstream's FailedMount event. */
export class MountError extends Error {}

/** Where each volume of the pod is on this machine, by name. */
export type HostPaths = Map<string, string>;

const PLUGINS = {
  configMap: 'kubernetes.io~configmap',
  secret: 'kubernetes.io~secret',
  downwardAPI: 'kubernetes.io~downward-api',
  projected: 'kubernetes.io~projected',
  emptyDir: 'kubernetes.io~empty-dir',
} as const;
const IMAGE_PLUGIN = 'kubernetes.io~image';

export class VolumeManager {
  readonly #podsDir: string;
  readonly #client: HttpClient;
  readonly #socket: string;

  /** `socket`: the runtime's, which has the images that volumes are made of. */
  constructor(podsDir: string, client: HttpClient, socket: string) {
    this.#podsDir = podsDir;
    this.#client = client;
    this.#socket = socket;
  }

  /** The pod's own folder. */
  podDir(uid: string): string {
    return join(this.#podsDir, uid);
  }

  /** Makes every volume ready but those of images, or brings its contents up to date. Throws a {@link MountError} for the first that cannot be. */
  async setUp(pod: Pod, sources: PayloadSources): Promise<HostPaths> {
    const result: HostPaths = new Map();
    await mkdir(this.podDir(pod.metadata.uid ?? ''), { recursive: true, mode: 0o750 });
    for (const volume of pod.spec?.volumes ?? []) {
      if (volume.image) continue;
      const name = volume.name ?? '';
      try {
        result.set(name, await this.#setUp(pod, volume, sources));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new MountError(`MountVolume.SetUp failed for volume "${name}" : ${why}`);
      }
    }
    return result;
  }

  async #setUp(pod: Pod, volume: Volume, sources: PayloadSources): Promise<string> {
    const plugin = (Object.keys(PLUGINS) as (keyof typeof PLUGINS)[]).find((kind) => volume[kind]);
    if (volume.hostPath) return checkHostPath(volume.hostPath);
    if (volume.persistentVolumeClaim) return this.#claim(pod, volume.persistentVolumeClaim.claimName ?? '');
    if (plugin === undefined) throw new Error('no volume plugin matched');
    const folder = this.#folder(pod.metadata.uid ?? '', PLUGINS[plugin], volume.name ?? '');
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (volume.emptyDir) return emptyDir(folder, volume, fsGroup);
    const payload = await volumePayload(pod, volume, sources);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    if (plugin === 'secret' || plugin === 'projected') await mountTmpfs(folder);
    await writeAtomically(folder, payload ?? new Map(), async () => {
      if (fsGroup !== undefined) await setGroup(folder, fsGroup, true);
    });
    return folder;
  }

  /** Where the volume of an image is mounted for the pod already; undefined where it is not yet. */
  mountedImage(uid: string, volume: string): string | undefined {
    const folder = this.#folder(uid, IMAGE_PLUGIN, volume);
    return isImageMounted(folder) ? folder : undefined;
  }

  /** Mounts an image that the runtime has, by its id, as a volume of the pod; answers where. */
  async mountImage(uid: string, volume: string, image: string): Promise<string> {
    const folder = this.#folder(uid, IMAGE_PLUGIN, volume);
    await mountImage(this.#socket, image, folder);
    return folder;
  }

  #folder(uid: string, plugin: string, volume: string): string {
    return join(this.podDir(uid), 'volumes', plugin, volume);
  }

  /** Claims that are bound to a folder of this machine; other storage needs a CSI driver. */
  async #claim(pod: Pod, name: string): Promise<string> {
    const namespace = pod.metadata.namespace ?? '';
    const claim = await this.#client.get<PersistentVolumeClaim>('core/persistentvolumeclaims', namespace, name);
    if (claim === undefined) throw new Error(`persistentvolumeclaim "${name}" not found`);
    const volumeName = claim.spec?.volumeName ?? '';
    if (volumeName === '' || claim.status?.phase !== 'Bound') {
      throw new Error(`PersistentVolumeClaim is not bound: "${namespace}/${name}"`);
    }
    const volume = await this.#client.get<PersistentVolume>('core/persistentvolumes', '', volumeName);
    if (volume?.spec?.hostPath) return checkHostPath(volume.spec.hostPath);
    const local = volume?.spec?.local?.path;
    if (local === undefined) throw new Error('no volume plugin matched');
    return checkHostPath({ path: local, type: 'Directory' });
  }

  /** Unmounts and removes all that the pod had on the node. */
  async tearDown(uid: string): Promise<void> {
    const folder = this.podDir(uid);
    await unmountBelow(folder);
    // Their folders tell which there are: they go last.
    await dropImages(this.#socket, this.#folder(uid, IMAGE_PLUGIN, ''));
    await rm(folder, { recursive: true, force: true });
  }

  /** Uids of all pods that have a folder. */
  async present(): Promise<string[]> {
    return readdir(this.#podsDir).catch(() => []);
  }
}

async function emptyDir(folder: string, volume: Volume, fsGroup: number | undefined): Promise<string> {
  const existed = (await stat(folder).catch(() => undefined)) !== undefined;
  await mkdir(folder, { recursive: true });
  if (volume.emptyDir?.medium === 'Memory') {
    const limit = volume.emptyDir.sizeLimit;
    await mountTmpfs(folder, limit === undefined ? undefined : quantity(limit) || undefined);
  } else if (!existed) await chmod(folder, 0o777);
  if (!existed && fsGroup !== undefined) await setGroup(folder, fsGroup, false);
  return folder;
}
