/** `npm test`: everything that CI checks, in order, with all its own set-up. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Command, parseOptions, ROOT } from '../command.ts';
import { dim, say } from '../progress.ts';
import { build } from '../up/build.ts';
import { installMissing, NEEDED_BY_TESTS, unfitness } from '../up/packages.ts';

const HELP = `Usage: npm test [-- PART...]

Runs generate, typecheck, lint, unit, worker and e2e; name parts to run only those.
End-to-end tests need root on Linux, containerd (installed if missing) and kubectl; without them they are skipped loudly, and fail where CI=true.

Example:
  npm test -- unit worker
`;

const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);

/** Commands of a part run side by side, parts one after another. */
const PARTS: Record<string, string[][]> = {
  generate: [[process.execPath, join(ROOT, 'scripts/generate/main.ts')]],
  typecheck: ['.', 'agent', 'cli', 'test'].map((project) => [bin('tsc'), '--noEmit', '-p', project]),
  lint: [[bin('biome'), 'check', '.']],
  unit: [[bin('vitest'), 'run', '--project', 'unit']],
  worker: [[bin('vitest'), 'run', '--project', 'worker']],
  // Whether a cluster falls asleep takes a minute, and no work: the rest need not wait for it.
  e2e: ['e2e', 'e2e-waiting'].map((project) => [bin('vitest'), 'run', '--project', project]),
};

export const test: Command = {
  name: 'test',
  summary: 'run all tests (npm test)',
  help: HELP,
  async run(args) {
    const { positionals } = parseOptions({ args, allowPositionals: true });
    const parts = positionals.length === 0 ? Object.keys(PARTS) : positionals;
    const real = parts.includes('e2e') || parts.includes('unit');
    if (real && unfitness() === undefined) await installMissing(true, NEEDED_BY_TESTS);
    const failed: string[] = [];
    for (const part of parts) {
      say(dim(`── ${part}`));
      // Several control planes begin at once, and should find it built.
      if (part === 'e2e') await build();
      const codes = await Promise.all((PARTS[part] ?? [['false']]).map(execute));
      if (codes.some((code) => code !== 0)) failed.push(part);
      // What follows cannot say anything useful without these.
      if (failed.includes('generate')) break;
    }
    say(failed.length === 0 ? 'All passed.' : `Failed: ${failed.join(', ')}.`);
    return failed.length === 0 ? 0 : 1;
  },
};

function execute([command, ...args]: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command as string, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
