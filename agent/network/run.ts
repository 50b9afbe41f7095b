/** Runs the machine's own tools. */
import { execFile, spawn } from 'node:child_process';

/** Runs a program; rejects with its first line of complaint. */
export function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim().split('\n')[0] || error.message}`));
    });
  });
}

/** Runs a program that reads its instructions; rejects with its first line of complaint. */
export function runWith(program: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, 4000);
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program}: ${complaint.trim().split('\n')[0] ?? `exit code ${code}`}`));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
