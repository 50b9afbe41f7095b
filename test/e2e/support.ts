/** What end-to-end tests share: a control plane of their own, and the real kubectl. */
import { execFile, spawnSync } from 'node:child_process';
import { delay } from '../../agent/informer.ts';
import type { ControlPlane } from '../../cli/harness/control-plane.ts';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** The kubectl to use: `$KUBECTL`, or the one on the PATH. */
export const KUBECTL = process.env['KUBECTL'] ?? 'kubectl';
export const hasKubectl = spawnSync(KUBECTL, ['version', '--client'], { stdio: 'ignore' }).status === 0;
export const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

if (!hasKubectl) console.warn('SKIPPED: there is no kubectl on the PATH; end-to-end tests with kubectl do not run.');
if (!isRoot) console.warn('SKIPPED: not root on Linux; end-to-end tests with containers do not run.');

/** Runs kubectl against a control plane; never rejects, the exit code says how it went. */
export function kubectl(
  plane: ControlPlane,
  args: readonly string[],
  input?: string,
  client = KUBECTL,
): Promise<Result> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, KUBECONFIG: plane.kubeconfig }, timeout: 150_000, maxBuffer: 1 << 26 };
    const child = execFile(client, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    // One that has ended already takes nothing.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** Runs kubectl and answers what it printed; throws with its complaint when it fails. */
export async function must(
  plane: ControlPlane,
  args: readonly string[],
  input?: string,
  client = KUBECTL,
): Promise<string> {
  const { code, stdout, stderr } = await kubectl(plane, args, input, client);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr || stdout}`);
  return stdout;
}

const EVENTUALLY_MS = 120_000;
const AGAIN_MS = 50;

/** Asks until the answer is yes; for hooks and concurrent tests, where `expect.poll` may not be used. Throws when it does not come in two minutes. */
export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + EVENTUALLY_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${EVENTUALLY_MS} ms`);
    await delay(AGAIN_MS);
  }
}
