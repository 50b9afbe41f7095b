/** Files that change together: readers see all old or all new ones, through one symbolic link that is swapped. */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ProjectedFile {
  data: Buffer;
  mode: number;
  /** Its owner; root when left out. */
  uid?: number;
}

/** By path, relative to the volume. */
export type Payload = Map<string, ProjectedFile>;

const DATA = '..data';

/** Whether the path is one that a payload may hold: relative, inside the volume, not one of ours. */
export function isSafePath(path: string): boolean {
  const parts = path.split('/');
  return path !== '' && !path.startsWith('/') && !parts.includes('..') && !(parts[0] ?? '').startsWith('..');
}

/**
 * Makes the folder `target` show exactly `payload`. Writes nothing when it already does; answers whether it wrote. `prepare` is called
 * when the new files are there, and before anybody sees them.
 */
export async function writeAtomically(
  target: string,
  payload: Payload,
  prepare: () => Promise<void> = async () => {},
): Promise<boolean> {
  for (const path of payload.keys()) if (!isSafePath(path)) throw new Error(`invalid path: ${path}`);
  const current = await readlink(join(target, DATA)).catch(() => undefined);
  if (current !== undefined && (await holds(join(target, current), payload))) return false;
  const stamp = new Date().toISOString().replace(/[-:T]/g, '_').replace('Z', '');
  const fresh = `..${stamp}${String(process.hrtime.bigint() % 1_000_000n).padStart(6, '0')}`;
  await writeFiles(join(target, fresh), payload);
  await prepare();
  await symlink(fresh, join(target, `${DATA}_tmp`));
  await rename(join(target, `${DATA}_tmp`), join(target, DATA));
  await linkNames(target, payload);
  if (current !== undefined) await rm(join(target, current), { recursive: true, force: true });
  return true;
}

async function writeFiles(folder: string, payload: Payload): Promise<void> {
  await mkdir(folder, { mode: 0o755, recursive: true });
  for (const [path, { data, mode, uid }] of payload) {
    const file = join(folder, path);
    await mkdir(dirname(file), { mode: 0o755, recursive: true });
    await writeFile(file, data, { mode });
    // The umask has been applied to the mode above.
    await chmod(file, mode);
    if (uid !== undefined) await chown(file, uid, -1);
  }
}

async function holds(folder: string, payload: Payload): Promise<boolean> {
  try {
    const present = await readdir(folder, { recursive: true, withFileTypes: true });
    if (present.filter((entry) => !entry.isDirectory()).length !== payload.size) return false;
    for (const [path, { data }] of payload) if (!data.equals(await readFile(join(folder, path)))) return false;
    return true;
  } catch {
    return false;
  }
}

/** One link per first part of a path, and none for what is no more. */
async function linkNames(target: string, payload: Payload): Promise<void> {
  const names = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? ''));
  for (const name of await readdir(target)) {
    if (name.startsWith('..') || names.has(name)) continue;
    if ((await lstat(join(target, name))).isSymbolicLink()) await unlink(join(target, name));
  }
  for (const name of names) {
    await symlink(join(DATA, name), join(target, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
