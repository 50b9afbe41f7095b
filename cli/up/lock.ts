/** One launcher per data folder. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../command.ts';

/** Takes the folder's lock; throws a UserError when another launcher that lives has it. Answers how to give it back. */
export async function lockFolder(data: string): Promise<() => Promise<void>> {
  try {
    await mkdir(data, { recursive: true });
  } catch (error) {
    throw new UserError(`the data folder ${data} cannot be made: ${error instanceof Error ? error.message : error}.`);
  }
  const file = join(data, 'lock');
  for (;;) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new UserError(
          `the data folder ${data} cannot be written: ${error instanceof Error ? error.message : error}.`,
        );
      }
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => '0'));
    if (holder > 0 && (await isLauncher(holder))) {
      throw new UserError(
        `another zeroplane (process ${holder}) is using ${data}; stop it first, or choose another --data.`,
      );
    }
    await rm(file, { force: true });
  }
}

async function isLauncher(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  // Where there is no /proc, a living process is taken for a launcher.
  return command === undefined || command.includes('cli/main.ts');
}
