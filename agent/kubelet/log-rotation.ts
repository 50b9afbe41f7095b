/** Keeps container logs from filling the disk: 10 MiB each, five files, as upstream. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CriClient } from '../runtime/cri.ts';
import { logFiles } from './logs.ts';
import type { RuntimeContainer } from './pod-runtime.ts';

const MAX_SIZE = 10 * 1024 * 1024;
const MAX_FILES = 5;

/** Renames the container's log when it has grown too large, and has the runtime write a new one. */
export async function rotateLog(cri: CriClient, container: RuntimeContainer, maxSize = MAX_SIZE): Promise<void> {
  const path = container.logPath;
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || stats.size <= maxSize) return;
  const stamp = new Date().toISOString().replace(/[-:.TZ]/g, '');
  const rotated = `${path}.${stamp}`;
  await rename(path, rotated);
  try {
    await cri.reopenContainerLog(container.id);
  } catch (error) {
    // The runtime still writes to the file: it must keep its name.
    await rename(rotated, path);
    throw error;
  }
  const files = await logFiles(path);
  for (const file of files.slice(0, Math.max(0, files.length - MAX_FILES))) await rm(file, { force: true });
}

/** Removes the logs of attempts before the last two. `keep` are the restart counts to keep. */
export async function pruneLogs(path: string, keep: ReadonlySet<number>): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder).catch(() => [])) {
    const attempt = /^(\d+)\.log/.exec(name);
    if (attempt !== null && !keep.has(Number(attempt[1]))) await rm(join(folder, name), { force: true });
  }
}
