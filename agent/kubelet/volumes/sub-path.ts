/** subPath mounts: what lies below a volume, never what a symbolic link in it points to outside. */
import { mkdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** The real path of `subPath` below `volume`; missing folders are made, unless told not to. Throws when it would leave the volume. */
export async function resolveSubPath(volume: string, subPath: string, { make = true } = {}): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
    throw new Error(`failed to prepare subPath for volumeMount: ${subPath} must not leave the volume`);
  }
  const root = await realpath(volume);
  let current = root;
  for (const part of subPath.split('/').filter((name) => name !== '' && name !== '.')) {
    const next = join(current, part);
    if (make) {
      await mkdir(next, { mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
    current = await realpath(next).catch(() => '');
    // Nobody learns by links of the volume what there is outside of it.
    if (current !== root && !current.startsWith(root + sep)) {
      throw new Error(`failed to prepare subPath for volumeMount: there is no ${subPath} inside the volume`);
    }
  }
  return current;
}
