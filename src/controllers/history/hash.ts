/** Short names for templates and revisions: a hash of their JSON, in an alphabet that never spells a word. Pure. */
import { fnv32a, safeEncode } from '../../apimachinery/random.ts';

/** The JSON of a value as Go's encoder writes a map: keys in order, nothing that HTML could read as markup. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return escaped(JSON.stringify(value) ?? 'null');
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${escaped(JSON.stringify(key))}:${canonicalJson(child)}`).join(',')}}`;
}

const escaped = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The hash of a pod template, for `pod-template-hash` and the names of DaemonSets' revisions (`ComputeHash`). */
export const templateHash = (template: object, collisionCount = 0): string =>
  safeEncode(String(fnv32a(`${canonicalJson(template)}${collisionCount === 0 ? '' : collisionCount}`)));
