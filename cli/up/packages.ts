/** What a real node needs of the machine, and how it gets there on Debian and Ubuntu. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { UserError } from '../command.ts';
import { step } from '../progress.ts';

/** What is looked for -> the package that brings it. */
const NEEDED: Record<string, string> = {
  '/usr/bin/containerd': 'containerd',
  '/usr/sbin/runc': 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/conntrack': 'conntrack',
  '/usr/sbin/iptables': 'iptables',
};
/** What tests need besides: a shell that runs in an image of nothing else, and a terminal. */
export const NEEDED_BY_TESTS: Record<string, string> = {
  '/bin/busybox': 'busybox-static',
  '/usr/bin/script': 'bsdutils',
  '/usr/bin/pgrep': 'procps',
};
const IP = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'];

/** Why this machine cannot run containers; undefined when it can, or could once packages are there. */
export function unfitness(): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'containers need root, and this is not root';
  if (missing().length > 0 && !existsSync('/usr/bin/apt-get')) {
    return `${missing().join(', ')} are missing, and there is no apt-get to install them with`;
  }
  return undefined;
}

/** Packages that are missing; `more`: files that are wanted besides, and the packages that bring them. */
export function missing(more: Record<string, string> = {}): string[] {
  const packages = Object.entries({ ...NEEDED, ...more })
    .filter(([file]) => !existsSync(file))
    .map(([, name]) => name);
  if (!IP.some((file) => existsSync(file))) packages.push('iproute2');
  return packages;
}

/** Installs what is missing; on a terminal it asks first. Throws a UserError when that is refused or fails. */
export async function installMissing(yes: boolean, more: Record<string, string> = {}): Promise<void> {
  const packages = missing(more);
  if (packages.length === 0) return;
  if (!yes && process.stdin.isTTY) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await prompt.question(`Install ${packages.join(', ')} with apt-get? [Y/n] `);
    prompt.close();
    if (!/^(y(es)?)?$/i.test(answer.trim())) {
      throw new UserError(
        'without them no containers run here; start with --nodes simulated for a node that pretends.',
      );
    }
  }
  await step(`Installing ${packages.join(', ')}`, async () => {
    await apt(['update', '-qq']);
    await apt(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  });
}

function apt(args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // No service is to start by itself: the agent runs a containerd of its own.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      const last = errors.trim().split('\n').at(-1) ?? '';
      if (code === 0) resolve();
      else reject(new UserError(`apt-get ${args[0]} failed: ${last}`));
    });
  });
}
