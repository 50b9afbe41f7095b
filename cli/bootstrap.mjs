// Runs on the Node that a machine has (20 or newer): installs the npm packages when they are missing, then hands over to
// cli/main.ts under the Node that the project brings.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.zeroplane-lock');

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`zeroplane: Node 20 or newer is needed, this is ${process.versions.node}.`);
  process.exit(1);
}

const lock = join(root, 'package-lock.json');
const wanted = existsSync(lock) ? createHash('sha256').update(readFileSync(lock)).digest('hex') : '';
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('Installing npm packages (a minute or two, once) …');
  const args = [existsSync(lock) ? 'ci' : 'install', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (npm.status !== 0) {
    console.error('zeroplane: npm could not install the packages; its message stands above.');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

const env = { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH}` };
const node = join(modules, '.bin', 'node');
const child = spawn(node, [join(root, 'cli', 'main.ts'), ...process.argv.slice(2)], { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // The terminal sends Ctrl-C to both; anything else is passed on.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
