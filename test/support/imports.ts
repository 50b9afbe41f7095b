/** Who imports whom, read from the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';

const ROOT = join(import.meta.dirname.replaceAll('\\', '/'), '../..');

export interface Import {
  /** Both from the project's folder: `src/store/list.ts`; packages by their names. */
  from: string;
  to: string;
  /** Gone when the code runs. */
  typeOnly: boolean;
}

const STATIC = /(?:^|;|\n)\s*(import|export)(\s+type\b)?(?:[^'"`;=]*?\bfrom)?\s*(['"])([^'"\n]+)\3/g;
const DYNAMIC = /\bimport\((['"])([^'"\n]+)\1\)/g;
const COMMENTS = /^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Every import of the sources below some folders; what is generated is left out. */
export function importsBelow(...folders: string[]): Import[] {
  return folders.flatMap(sources).flatMap((from) => {
    const text = readFileSync(join(ROOT, from), 'utf8').replaceAll(COMMENTS, '');
    const target = (to: string): string => (to.startsWith('.') ? join(dirname(from), to) : to);
    return [
      ...Array.from(text.matchAll(STATIC), ([, , type, , to = '']) => ({
        from,
        to: target(to),
        typeOnly: type !== undefined,
      })),
      // A type may be imported in this way too, but then it is not worth telling apart.
      ...Array.from(text.matchAll(DYNAMIC), ([, , to = '']) => ({ from, to: target(to), typeOnly: false })),
    ];
  });
}

function sources(folder: string): string[] {
  const isFile = /\.(?:ts|mjs)$/.test(folder);
  if (isFile) return [folder];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => /\.(?:ts|mjs)$/.test(file) && !/\/(?:node_modules|generated)\//.test(file))
    .sort();
}

/** Chains of imports that lead back to where they began, each named once. */
export function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const found = new Set<string>();
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.add([...path.slice(at), file].join(' -> '));
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const to of next.get(file) ?? []) visit(to);
    path.pop();
    done.add(file);
  };
  for (const file of next.keys()) visit(file);
  return [...found];
}
