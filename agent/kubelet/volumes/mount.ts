/** tmpfs mounts, and the owners of what is inside a volume. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface MountPoint {
  path: string;
  options: string[];
}

function mountPoints(): MountPoint[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => {
      const [, path = '', , options = ''] = line
        .split(' ')
        .map((field) => field.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))));
      return { path, options: options.split(',') };
    });
}

/** Whether something is mounted on `path`, with the option where one is asked for. */
export function isMounted(path: string, option?: string): boolean {
  const top = mountPoints().findLast((point) => point.path === path);
  return top !== undefined && (option === undefined || top.options.includes(option));
}

/** Mounts a tmpfs on `path` unless one is there. `sizeBytes` limits it. */
export async function mountTmpfs(path: string, sizeBytes?: number): Promise<void> {
  if (isMounted(path)) return;
  const options = sizeBytes === undefined ? [] : ['-o', `size=${Math.floor(sizeBytes)}`];
  await run('mount', ['-t', 'tmpfs', ...options, 'tmpfs', path]);
}

/** Unmounts everything at or below `path`; lazily, so that a straggler cannot hold a pod's folder. */
export async function unmountBelow(path: string): Promise<void> {
  const points = mountPoints().map((point) => point.path);
  const below = points.filter((point) => point === path || point.startsWith(`${path}/`));
  for (const point of below.sort((a, b) => b.length - a.length)) await run('umount', ['-l', point]);
}

/** Gives a volume to a pod's fsGroup: group ownership, group access, and setgid folders so that new files follow. */
export async function setGroup(path: string, gid: number, readOnly: boolean): Promise<void> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) {
    await lchown(path, stats.uid, gid);
    return;
  }
  await chown(path, stats.uid, gid);
  const access = readOnly ? 0o440 : 0o660;
  const mode = (stats.mode & 0o7777) | access | (stats.isDirectory() ? 0o2110 : 0);
  await chmod(path, mode);
  if (!stats.isDirectory()) return;
  for (const name of await readdir(path)) await setGroup(join(path, name), gid, readOnly);
}
