/** Volumes of images: an image's files mounted by `ctr`, which comes with every containerd; by their CRI alone those before 2.1 do not. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../network/run.ts';
import { isMounted } from './mount.ts';
import { resolveSubPath } from './sub-path.ts';

/** What a mount has only when nothing is left to do for it. */
const FINISHED = 'noexec';

/** Whether the image of a volume is mounted on `folder` for good. */
export const isImageMounted = (folder: string): boolean => isMounted(folder, FINISHED);

/** Mounts an image that the containerd at `socket` has, by its id, on `folder`. An agent that was killed meanwhile may just do it again. */
export async function mountImage(socket: string, image: string, folder: string): Promise<void> {
  if (isImageMounted(folder)) return;
  // What was begun before may be of another image.
  await dropImage(socket, folder);
  await mkdir(folder, { recursive: true });
  // Whoever finds a way to write to it writes to a layer of its own, and not to the image.
  await ctr(socket, 'images', 'mount', '--rw', image, folder);
  // ctr's own lease of the layer ends after a day.
  await ctr(socket, 'snapshots', 'label', folder, 'containerd.io/gc.root=pod');
  await run('mount', ['-o', `remount,bind,ro,${FINISHED}`, folder]);
}

/** The real path of the folder `subPath` of an image. Throws where there is none: single files are no volumes with containerd's own, either. */
export async function resolveImageSubPath(folder: string, subPath: string): Promise<string> {
  const path = await resolveSubPath(folder, subPath, { make: false });
  if (!(await stat(path)).isDirectory()) throw new Error(`only directory subpath is supported, subpath: "${subPath}"`);
  return path;
}

/** Takes away what containerd has for each of the images' `folders`, once they are no longer mounted. */
export async function dropImages(socket: string, folders: string): Promise<void> {
  for (const name of await readdir(folders).catch(() => [])) await dropImage(socket, join(folders, name));
}

/** Nothing is missing where there was nothing. */
const dropImage = (socket: string, folder: string): Promise<unknown> =>
  ctr(socket, 'images', 'unmount', '--rm', folder);

const ctr = (socket: string, ...args: string[]): Promise<string> => run('ctr', ['-a', socket, '-n', 'k8s.io', ...args]);
