/** Builds the Worker into one module, and the assets beside it; again only when something has changed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, UserError } from '../command.ts';

const run = promisify(execFile);

export interface Built {
  /** The bundled module. */
  worker: string;
  /** The folder of static files. */
  assets: string;
}

/** Builds what is out of date. Throws a UserError with the compiler's first words when it cannot. */
export async function build(): Promise<Built> {
  const built = { worker: join(ROOT, 'dist/worker.js'), assets: join(ROOT, 'dist/assets') };
  const stamp = join(ROOT, 'dist/.built');
  const wanted = await fingerprint();
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return built;
  await run(process.execPath, [join(ROOT, 'scripts/generate/main.ts')], { cwd: ROOT, maxBuffer: 1 << 24 });
  const { build: bundle } = await import('esbuild');
  try {
    await bundle({
      entryPoints: [join(ROOT, 'src/worker.ts')],
      outfile: built.worker,
      bundle: true,
      format: 'esm',
      target: 'es2024',
      conditions: ['workerd', 'worker', 'browser'],
      external: ['cloudflare:*', 'node:*'],
      loader: { '.sql': 'text' },
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: 'silent',
    });
  } catch (error) {
    throw new UserError(`the Worker does not build: ${error instanceof Error ? error.message.split('\n')[1] : error}`);
  }
  await mkdir(join(ROOT, 'dist'), { recursive: true });
  await writeFile(stamp, wanted);
  return built;
}

/** A hash over names, sizes and times of what goes into the build. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['src', 'migrations', 'scripts/generate', 'package-lock.json']) {
    for (const file of await files(join(ROOT, folder))) {
      if (file.includes('/src/generated/')) continue;
      const { size, mtimeMs } = await stat(file);
      hash.update(`${file} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

async function files(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
