/** `npm run bench`: figures, as JSON lines and as a table. `npm run soak`: what is left after a long churn. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Command, ROOT } from '../command.ts';

const HELP = `Usage: npm run bench [-- OPTIONS]

Measures requests, watches and scaling on a fresh control plane, and the scheduler by itself; prints a JSON line per figure, then a table.

Options:
  --seconds N     per figure (default 3)

Example:
  npm run bench -- --seconds 1
`;

export const bench: Command = {
  name: 'bench',
  summary: 'measure (npm run bench)',
  help: HELP,
  run: (args) => runScript('main.ts', args),
};

export const soak: Command = {
  name: 'soak',
  summary: 'churn a cluster for a long time, and look what is left (npm run soak)',
  help: `Usage: npm run soak [-- OPTIONS]

Creates, scales, rolls out and deletes at random over simulated nodes, taints nodes, and kills workerd at random moments. At the end
every object must have become what its spec says, and nothing may be left over; exits with 1 and says what where it is not so.

Options:
  --minutes N     default 30
  --nodes N       default 200
  --kill N        seconds between kills, about (default 60)
  --settle N      seconds that all may take to settle (default 120)

Example:
  npm run soak -- --minutes 3 --nodes 30
`,
  run: (args) => runScript('soak.ts', args),
};

/** Runs a script of the bench folder; the answer is its exit code. */
function runScript(name: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const script = join(ROOT, 'test/bench', name);
    const child = spawn(process.execPath, ['--expose-gc', script, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
