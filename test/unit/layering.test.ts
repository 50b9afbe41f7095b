/** Who may import whom: the table is ARCHITECTURE.md's, checked against every source. */
import { describe, expect, it } from 'vitest';
import { cycles, type Import, importsBelow } from '../support/imports.ts';

interface Layer {
  /** A folder, or a file. */
  of: string;
  /** What it may import beside itself: folders, files, packages, `node:` for all of Node. */
  may: string[];
  /** What it may know the types of, and nothing more. */
  types?: string[];
}

const LAYERS: Layer[] = [
  { of: 'src/apimachinery', may: ['yaml', 're2js', '@marcbachmann/cel-js'] },
  { of: 'src/resources', may: ['src/apimachinery'], types: ['src/generated'] },
  { of: 'src/store', may: ['src/apimachinery', 'node:crypto'] },
  { of: 'src/scheduler', may: ['src/apimachinery', 'src/resources'], types: ['src/generated'] },
  {
    of: 'src/controllers',
    may: ['src/apimachinery', 'src/resources', 'drizzle-orm'],
    types: ['src/generated', 'src/store'],
  },
  {
    of: 'src/api',
    may: ['src/apimachinery', 'src/resources', 'src/store', 'hono', 'jose', '@peculiar/x509', 'reflect-metadata'],
    // Durable Objects are called, and handed in; the API never makes one.
    types: ['src/generated', 'src/durable-objects'],
  },
  {
    of: 'src/durable-objects',
    may: [
      'src/api',
      'src/apimachinery',
      'src/controllers',
      'src/resources',
      'src/scheduler',
      'src/store',
      'migrations',
      'drizzle-orm',
      'cloudflare:workers',
    ],
    types: ['src/generated'],
  },
  { of: 'src/worker.ts', may: ['src/api', 'src/durable-objects', 'cloudflare:workers'] },
  {
    of: 'agent',
    may: [
      'src/apimachinery',
      'src/resources/core/node-selector.ts',
      'src/resources/core/tolerations.ts',
      'node:',
      '@bufbuild/protobuf',
      '@grpc/grpc-js',
      'dns-packet',
      'ws',
    ],
    types: ['src/generated'],
  },
  {
    of: 'cli',
    may: [
      'agent',
      'src/apimachinery',
      'src/api/audit/policy.ts',
      'node:',
      '@peculiar/x509',
      'esbuild',
      'reflect-metadata',
    ],
    types: ['src/generated'],
  },
  { of: 'scripts', may: ['src/apimachinery', 'src/resources', 'node:'] },
];

/** Folders are measured alone: nothing of theirs stays where there is no rule for it. */
const FOLDERS = ['src', 'agent', 'cli', 'scripts'];
const all = importsBelow(...FOLDERS);

/** Bindings name the classes and the classes take the bindings; the agent's parts are handed each other. */
const KNOWN_BY_TYPE = ['src/durable-objects/env.ts', 'agent/types.ts'];

const isBelow = (path: string, part: string): boolean =>
  path === part || path.startsWith(part.endsWith(':') ? part : `${part}/`);

const told = ({ from, to }: Import): string => `${from} imports ${to}`;

describe('layering', () => {
  it.each(LAYERS)('$of imports what it may', ({ of, may, types = [] }) => {
    const own = all.filter(({ from }) => isBelow(from, of));
    expect(own).not.toEqual([]);
    const wrong = own.filter(({ to, typeOnly }) => {
      const allowed = [of, ...may, ...(typeOnly ? types : [])];
      return !allowed.some((part) => isBelow(to, part));
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('has a rule for every source', () => {
    const without = all.filter(({ from }) => !LAYERS.some(({ of }) => isBelow(from, of)));
    expect(without.map(told)).toEqual([]);
  });

  it('finds what it imports, with its ending', () => {
    const files = new Set(all.map(({ from }) => from));
    const missing = all.filter(({ to }) => isBelow(to, 'src') && !isBelow(to, 'src/generated') && !/\.ts$/.test(to));
    expect(missing.map(told)).toEqual([]);
    expect(files.size).toBeGreaterThan(100);
  });

  it('has no circle of imports', () => {
    expect(cycles(all.filter(({ typeOnly }) => !typeOnly))).toEqual([]);
  });

  it('has no circle of types either, but for those that are so by nature', () => {
    expect(cycles(all.filter(({ to }) => !KNOWN_BY_TYPE.includes(to)))).toEqual([]);
  });
});

describe('the reading of imports', () => {
  it('sees a circle, and only once', () => {
    const edge = (from: string, to: string): Import => ({ from, to, typeOnly: false });
    expect(cycles([edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('d', 'a')])).toEqual(['a -> b -> c -> a']);
    expect(cycles([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toEqual([]);
  });

  it('sees every way to import', () => {
    const own = importsBelow('test/unit/layering.test.ts', 'test/support/imports.ts');
    expect(own).toContainEqual({ from: 'test/unit/layering.test.ts', to: 'test/support/imports.ts', typeOnly: false });
    expect(own.filter(({ to }) => to.startsWith('node:')).map(({ to }) => to)).toEqual(['node:fs', 'node:path/posix']);
    expect(all).toContainEqual(expect.objectContaining({ from: 'cli/up/build.ts', to: 'esbuild' }));
    expect(all).toContainEqual(expect.objectContaining({ to: 'src/api/handlers/handler.ts', typeOnly: true }));
    expect(all).toContainEqual(expect.objectContaining({ from: 'src/worker.ts', typeOnly: false }));
  });
});
