/** Names of properties that are no identifiers, as expressions write them (upstream's `cel.Escape`). */

const RESERVED = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void' +
    ' while'
  ).split(' '),
);
const ESCAPES: Record<string, string> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };

/** `a-b` is `a__dash__b`; undefined for names that expressions cannot write. */
export function escapeName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_.\-/][\w.\-/]*$/.test(name)) return undefined;
  return name.replaceAll(/__|[.\-/]/g, (part) => ESCAPES[part] as string);
}
