/** Where a rule says that its errors are: `.spec.low`, `.labels['a.b']` (upstream's `ValidFieldPath`). */
import { child } from '../../apimachinery/field.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';

const ESCAPES: Record<string, string> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

/** The path as errors print it with the schema that it leads to, or what is wrong with it; `brackets` says whether `['name']` is taken. */
export function fieldPathOf(
  text: string,
  schema: StructuralSchema,
  brackets = true,
): { path: string; schema: StructuralSchema | undefined } | { problem: string } {
  // The three delimiters are tokens, quoted texts are whole ones, and so is all between.
  const tokens = text.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/gs) ?? [];
  let path = '';
  let at: StructuralSchema | undefined = schema;
  for (let next = 0; next < tokens.length; ) {
    const opening = tokens[next++];
    if (opening !== '.' && opening !== '[') return { problem: `expected [ or . but got: ${opening}` };
    if (opening === '[' && !brackets) return { problem: 'array notation is not allowed' };
    const token = tokens[next++];
    if (token === undefined) return { problem: 'unexpected end of JSON path' };
    let name = token;
    if (opening === '[') {
      if (!/^'.*'$/s.test(token) || token.length < 2)
        return { problem: `expected single quoted string but got ${token}` };
      const bad = token
        .slice(1, -1)
        .match(/\\./gs)
        ?.find((pair) => !Object.hasOwn(ESCAPES, pair[1] as string));
      if (bad !== undefined) return { problem: `invalid string literal: invalid escape char ${bad}` };
      name = token.slice(1, -1).replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] as string);
    }
    const { properties, additionalProperties }: StructuralSchema = at ?? {};
    if (properties !== undefined) {
      path = child(path, name);
      at = Object.hasOwn(properties, name) ? properties[name] : undefined;
    } else if (additionalProperties !== undefined) {
      path = `${path}[${name}]`;
      at = typeof additionalProperties === 'object' ? additionalProperties : undefined;
    } else at = undefined;
    if (at === undefined) return { problem: 'does not refer to a valid field' };
    if (opening === '[') {
      const closing = tokens[next++];
      if (closing === undefined) return { problem: 'unexpected end of JSON path' };
      if (closing !== ']') return { problem: `expected ] but got ${closing}` };
    }
  }
  return { path, schema: at };
}
