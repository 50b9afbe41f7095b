/** Looks for keys that stand twice in one JSON object: `JSON.parse` keeps the last and says nothing. */
import { badRequest } from '../errors.ts';
import { MAX_DEPTH } from './depth.ts';

/** Whether a key stands twice in an object of a text that parses. Throws BadRequest where it nests too deeply. */
export function hasDuplicates(text: string): boolean {
  /** The keys of the objects around; undefined for arrays. */
  const stack: (Set<string> | undefined)[] = [];
  let keys: Set<string> | undefined;
  let expectKey = false;
  let found = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
      case 0x5b: // [
        if (stack.length > MAX_DEPTH * 2) throw badRequest('the object is nested too deeply');
        stack.push(keys);
        expectKey = text.charCodeAt(i) === 0x7b;
        keys = expectKey ? new Set() : undefined;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        keys = stack.pop();
        expectKey = false;
        break;
      case 0x2c: // ,
        expectKey = keys !== undefined;
        break;
      case 0x22: {
        const end = endOfString(text, i);
        if (expectKey && keys !== undefined) {
          const raw = text.slice(i + 1, end);
          const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
          found ||= keys.has(key);
          keys.add(key);
          expectKey = false;
        }
        i = end;
        break;
      }
    }
  }
  return found;
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}
