/** Short names for templates and revisions: a hash of their JSON, in an alphabet that never spells a word. Pure. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

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

/** 32-bit FNV-1a of a text. */
export function fnv1a(text: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, PRIME) >>> 0;
  return hash;
}

/** 32-bit FNV-1 of a text: multiplies first. */
export function fnv1(text: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, PRIME) ^ byte) >>> 0;
  return hash;
}

/** A hash in decimal, each digit as a letter of the safe alphabet (`rand.SafeEncodeString`). */
export const safeEncode = (hash: number): string =>
  [...String(hash)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('');

/** The hash of a pod template, for `pod-template-hash` and the names of DaemonSets' revisions (`ComputeHash`). */
export const templateHash = (template: object, collisionCount = 0): string =>
  safeEncode(fnv1a(`${canonicalJson(template)}${collisionCount === 0 ? '' : collisionCount}`));
