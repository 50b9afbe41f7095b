/** JSON as Go's encoder writes it, byte for byte. */

/** A JSON text with nothing in it that HTML could read as markup. */
export const escapeHtml = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The JSON of a value of which Go knows no type: the keys of its maps are in order. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return escapeHtml(JSON.stringify(value) ?? 'null');
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${escapeHtml(JSON.stringify(key))}:${canonicalJson(child)}`).join(',')}}`;
}
