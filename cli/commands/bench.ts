/** `npm run bench`: figures, as JSON lines and as a table. */
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
  run(args) {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--expose-gc', join(ROOT, 'test/bench/main.ts'), ...args], {
        stdio: 'inherit',
      });
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
  },
};
