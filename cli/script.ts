/** Commands that are programs of their own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './command.ts';

/** Runs a script of the project; the answer is its exit code. */
export function runScript(path: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', join(ROOT, path), ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
