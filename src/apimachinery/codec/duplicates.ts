/** Finds keys that stand twice in one JSON object: `JSON.parse` keeps the last and says nothing. */
import { badRequest } from '../errors.ts';
import { MAX_DEPTH } from './depth.ts';

/** No more are named than this, nor more characters of them. */
const MAX_NAMED = 100;
const MAX_NAMED_LENGTH = 10_000;

interface Frame {
  /** Undefined for arrays. */
  keys: Set<string> | undefined;
  /** Path of this object or array. */
  path: string;
  index: number;
  key: string;
}

/** Paths of duplicate keys in a text that parses: `spec.containers[0].image`. Throws BadRequest where it nests too deeply. */
export function findDuplicates(text: string): string[] {
  const found: string[] = [];
  const stack: Frame[] = [];
  let named = 0;
  let top: Frame | undefined;
  let expectKey = false;
  const here = (): string => {
    if (top === undefined) return '';
    if (top.keys === undefined) return `${top.path}[${top.index}]`;
    return top.path === '' ? top.key : `${top.path}.${top.key}`;
  };
  const push = (keys: Set<string> | undefined): void => {
    if (stack.length > MAX_DEPTH * 2) throw badRequest('the object is nested too deeply');
    const frame = { keys, path: here(), index: 0, key: '' };
    if (top !== undefined) stack.push(top);
    top = frame;
    expectKey = keys !== undefined;
  };
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
        push(new Set());
        break;
      case 0x5b: // [
        push(undefined);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        top = stack.pop();
        expectKey = false;
        break;
      case 0x2c: // ,
        if (top?.keys === undefined) {
          if (top !== undefined) top.index++;
        } else expectKey = true;
        break;
      case 0x22: {
        const end = endOfString(text, i);
        if (expectKey && top?.keys !== undefined) {
          const raw = text.slice(i + 1, end);
          top.key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
          if (top.keys.has(top.key) && found.length < MAX_NAMED && named < MAX_NAMED_LENGTH) {
            found.push(here());
            named += found[found.length - 1]?.length ?? 0;
          }
          top.keys.add(top.key);
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
