/** The images that the suite's pods name, as far as they can be made here: of its own programs and of this machine's. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TarEntry } from '../../agent/runtime/tar.ts';
import { type BuiltImage, buildImage, busyboxEntries, type ImageConfig } from '../support/images.ts';
import type { Suite } from './suite.ts';

const E2E = 'registry.k8s.io/e2e-test-images';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Programs of this machine, by the names by which containers call them. */
const TOOLS = ['sh', 'bash', 'curl', 'dig', 'nc', 'ss', 'ip', 'getent', 'hostname'];
/** Where another name is meant here. */
const PROGRAMS: Record<string, string> = { sh: 'bash', nc: 'nc.openbsd' };
/** Those that a machine may lack -> the package that brings them. */
export const NEEDED_BY_IMAGES: Record<string, string> = {
  '/usr/bin/curl': 'curl',
  '/usr/bin/dig': 'bind9-dnsutils',
  '/bin/nc.openbsd': 'netcat-openbsd',
};

/** Every image of the suite that can be made. */
export function suiteImages({ programs, source }: Suite): BuiltImage[] {
  const file = (path: string): Buffer => readFileSync(join(source, 'test/images', path));
  const busybox = busyboxEntries();
  // Debian's busybox is older than the suite's: its shell passes on no variables whose names it could not have. Tests that look for
  // such variables call `sh`, those that compare the shell's words `/bin/sh`.
  const shell = [
    ...busybox,
    ...toolEntries('sh').map((entry) => (entry.path === 'bin/sh' ? { ...entry, path: 'usr/local/bin/sh' } : entry)),
  ];
  const binary = (path: string, name: keyof Suite['programs'], mode = 0o755): TarEntry => ({
    path,
    data: readFileSync(programs[name]),
    mode,
  });
  const agnhost: TarEntry[] = [
    ...over(withUsers(busybox), toolEntries(...TOOLS)),
    binary('agnhost', 'agnhost'),
    { path: 'agnhost-2', link: 'agnhost' },
    { path: 'uploads', directory: true, mode: 0o777 },
    { path: 'localhost.crt', data: file('agnhost/porter/localhost.crt') },
    { path: 'localhost.key', data: file('agnhost/porter/localhost.key') },
  ];
  const page: TarEntry = { path: 'www/index.html', data: Buffer.from('<title>Welcome to nginx!</title>\n') };
  const pet = (name: string): TarEntry[] =>
    [`${name}.jpg`, 'data.json'].map((path) => ({ path, data: file(`${name}/html/${path}`) }));
  // Upstream's stands on Alpine Linux, and a test that mounts it looks for this file.
  const release: TarEntry[] = [{ path: 'etc/os-release', data: Buffer.from('NAME="Alpine Linux"\n') }];
  const nnp = binary('usr/local/bin/nnp', 'nnp', 0o4755);
  const sample = binary('sample-apiserver', 'sample-apiserver');
  const etcd = binary('usr/local/bin/etcd', 'etcd');
  const host = (args: string[], ...more: TarEntry[][]): BuiltImage =>
    buildImage('', [agnhost, ...more], { Env: [PATH], Entrypoint: ['/agnhost'], Cmd: args });
  const plain = (config: ImageConfig, ...more: TarEntry[]): BuiltImage =>
    buildImage('', [over(shell, more)], { Env: [PATH], Cmd: ['sh'], ...config });
  return named([
    [host(['pause']), `${E2E}/agnhost:2.55`, `${E2E}/agnhost:2.63.0`, 'registry.k8s.io/pause:3.10.2'],
    [plain({}, ...toolEntries(...TOOLS)), `${E2E}/glibc-dns-testing:2.0.0`],
    [host(['test-webserver'], pet('kitten'), release), `${E2E}/kitten:1.8`],
    [host(['test-webserver'], pet('nautilus')), `${E2E}/nautilus:1.8`],
    [plain({}), `${E2E}/busybox:1.37.0-1`],
    [plain({ Cmd: ['httpd', '-f', '-p', '80', '-h', '/www'] }, page), `${E2E}/nginx:1.15-4`, `${E2E}/nginx:1.27-0`],
    [plain({ User: '1234' }), `${E2E}/nonroot:1.5`],
    [plain({ Cmd: ['nnp'] }, nnp), `${E2E}/nonewprivs:1.4`],
    [plain({ Entrypoint: ['/sample-apiserver'], Cmd: [] }, sample), `${E2E}/sample-apiserver:1.29.2`],
    [plain({ Cmd: ['etcd'] }, etcd), 'registry.k8s.io/etcd:3.6.8-0'],
  ]);
}

/** The images under all their names. */
const named = (images: readonly (readonly [BuiltImage, ...string[]])[]): BuiltImage[] =>
  images.flatMap(([image, ...names]) => names.map((name) => ({ ...image, name })));

/** The user and the groups that tests of supplemental groups look for in the image. */
function withUsers(entries: readonly TarEntry[]): TarEntry[] {
  const lines: Record<string, string> = {
    'etc/passwd': 'user-defined-in-image:x:1000:1000::/home:/bin/sh\n',
    'etc/group': 'user-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n',
  };
  return entries.map((entry) => {
    const line = lines[entry.path];
    return line !== undefined && 'data' in entry
      ? { ...entry, data: Buffer.concat([entry.data, Buffer.from(line)]) }
      : entry;
  });
}

/** The entries, with others in place of those of the same paths. */
const over = (entries: readonly TarEntry[], others: readonly TarEntry[]): TarEntry[] => {
  const paths = new Set(others.map(({ path }) => path));
  return [...entries.filter(({ path }) => !paths.has(path)), ...others];
};

/** Programs of this machine with the libraries that they need; what it lacks is left out, and said. */
function toolEntries(...names: readonly string[]): TarEntry[] {
  const libraries = new Set<string>();
  const found: TarEntry[] = [];
  for (const name of names) {
    const program = PROGRAMS[name] ?? name;
    const { stdout } = spawnSync('which', [program], { encoding: 'utf8' });
    if (stdout === '') {
      console.error(`${program} is not on this machine: tests that run it in a container will fail.`);
      continue;
    }
    const binary = stdout.trim();
    found.push({ path: `bin/${name}`, data: readFileSync(binary), mode: 0o755 });
    for (const [, path = ''] of ldd(binary).matchAll(/(\/\S+) \(0x/g)) libraries.add(path);
  }
  for (const path of libraries)
    found.push({ path: libraryPath(path), data: readFileSync(realpathSync(path)), mode: 0o755 });
  return found;
}

const ldd = (binary: string): string => execFileSync('ldd', [binary], { encoding: 'utf8' });

/** Where the loader finds it: the loader itself stands where programs name it, all else in `/lib`. */
const libraryPath = (path: string): string =>
  basename(path).startsWith('ld-linux') ? path.slice(1) : `lib/${basename(path)}`;
