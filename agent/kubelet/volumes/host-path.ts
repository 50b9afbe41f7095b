/** hostPath volumes: the check, and making, of what the pod says is there. */

import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import type { HostPathVolumeSource } from '../../../src/generated/types/core.v1.ts';

const CHECKS: Record<string, { is: (stats: Stats) => boolean; what: string }> = {
  Directory: { is: (stats) => stats.isDirectory(), what: 'a directory' },
  File: { is: (stats) => stats.isFile(), what: 'a file' },
  Socket: { is: (stats) => stats.isSocket(), what: 'a socket file' },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), what: 'a character device' },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), what: 'a block device' },
};

/** Makes sure that the path is of the wanted type; throws upstream's `hostPath type check failed: …`. */
export async function checkHostPath(source: HostPathVolumeSource): Promise<string> {
  const path = source.path ?? '';
  const type = source.type ?? '';
  const stats = await stat(path).catch(() => undefined);
  if (type === 'DirectoryOrCreate' && stats === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
  else if (type === 'FileOrCreate' && stats === undefined) await (await open(path, 'a', 0o644)).close();
  else if (type !== '') {
    const check = CHECKS[type.replace('OrCreate', '')];
    if (check === undefined) throw new Error(`hostPath type check failed: ${type} is an invalid volume type`);
    if (stats === undefined || !check.is(stats)) {
      throw new Error(`hostPath type check failed: ${path} is not ${check.what}`);
    }
  }
  return path;
}
