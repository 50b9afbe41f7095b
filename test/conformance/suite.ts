/** Kubernetes' own conformance suite, built from its published Go modules and kept: it is downloaded, never part of this project. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../cli/command.ts';

/** Of Kubernetes; its libraries have the same with another first number. */
const VERSION = '1.36.3';
const MODULE = 'k8s.io/kubernetes';
const LIBRARIES = `v0.${VERSION.slice(2)}`;

export interface Suite {
  /** The test program. */
  tests: string;
  /** What runs several of it at once. */
  ginkgo: string;
  /** Programs that containers run, by name. */
  programs: Record<Program, string>;
  /** The module's files. */
  source: string;
}

/** Their packages, in the versions that Kubernetes itself depends on. */
const PROGRAMS = {
  agnhost: `${MODULE}/test/images/agnhost`,
  nnp: `${MODULE}/test/images/nonewprivs`,
  'sample-apiserver': 'k8s.io/sample-apiserver',
  etcd: 'go.etcd.io/etcd/server/v3',
} as const;
/** The images that they go into have no libraries, or others. */
const STATIC = { CGO_ENABLED: '0' };
type Program = keyof typeof PROGRAMS;

/** Finds what was built before, or downloads and builds it: a quarter of an hour on two cores. Throws a UserError where there is no Go. */
export async function buildSuite(): Promise<Suite> {
  const folder = join(homedir(), '.cache/zeroplane-test', `conformance-${VERSION}`);
  mkdirSync(folder, { recursive: true });
  const source = await sourceOf(folder);
  const tests = await built(folder, 'e2e.test', ['test', '-c'], `${MODULE}/test/e2e`);
  const ginkgo = await built(folder, 'ginkgo', ['build'], 'github.com/onsi/ginkgo/v2/ginkgo');
  const programs = {} as Suite['programs'];
  for (const [name, pkg] of Object.entries(PROGRAMS) as [Program, string][]) {
    programs[name] = await built(folder, name, ['build', '-ldflags', '-s -w'], pkg, STATIC);
  }
  return { tests, ginkgo, programs, source };
}

async function built(folder: string, name: string, how: readonly string[], pkg: string, env = {}): Promise<string> {
  const file = join(folder, name);
  if (existsSync(file)) return file;
  console.error(`Building ${name} for Kubernetes ${VERSION} …`);
  // Half a program must not be taken for a whole one later.
  await go(folder, [...how, '-o', `${name}.part`, pkg], env);
  renameSync(`${file}.part`, file);
  return file;
}

/** Writes a module that depends on Kubernetes as Kubernetes does on its libraries; answers where its source lies. */
async function sourceOf(folder: string): Promise<string> {
  const text = await go(folder, ['mod', 'download', '-json', `${MODULE}@v${VERSION}`]);
  const { Dir: source } = JSON.parse(text) as { Dir: string };
  if (existsSync(join(folder, 'go.mod'))) return source;
  const theirs = readFileSync(join(source, 'go.mod'), 'utf8');
  const own = theirs
    .replace(/^module .*$/m, 'module conformance')
    .replace(/(k8s\.io\/[a-z-]+) => \.\/staging\/\S+/g, `$1 => $1 ${LIBRARIES}`)
    .replace(/^(\s*(?:require )?k8s\.io\/[a-z-]+) v0\.0\.0$/gm, `$1 ${LIBRARIES}`);
  writeFileSync(join(folder, 'conformance.go'), `package conformance\n\nimport _ "${MODULE}/test/e2e"\n`);
  writeFileSync(join(folder, 'go.sum'), readFileSync(join(source, 'go.sum')));
  writeFileSync(join(folder, 'go.mod'), `${own}\nrequire ${MODULE} v${VERSION}\n`);
  return source;
}

/** Runs Go; answers what it printed. */
function go(cwd: string, args: readonly string[], more: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, GOFLAGS: '-mod=mod', ...more };
  const child = spawn('go', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaints] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-2000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', () => reject(new UserError('Go is needed to build the suite; there is none on the PATH.')));
    child.on('exit', (code) => {
      if (code === 0) resolve(output);
      else reject(new UserError(`go ${args[0]} failed: ${complaints.trim().split('\n').slice(-5).join('; ')}`));
    });
  });
}
