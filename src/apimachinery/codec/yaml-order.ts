/** The order in which Go's YAML writer puts keys. */

const LETTER = /\p{L}/u;
const DIGIT = /^\d$/;

/** Letters by their code and after all else, numbers by their value. */
export function compareKeys(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i] as string;
    const r = right[i] as string;
    if (l === r) continue;
    const isLetter = LETTER.test(l);
    if (isLetter !== LETTER.test(r)) return isLetter ? 1 : -1;
    if (isLetter) return l < r ? -1 : 1;
    return compareNumbers(left, right, i) || (l < r ? -1 : 1);
  }
  return left.length - right.length;
}

/** Where both differ: the numbers that begin there, and the longer of two that are the same. */
function compareNumbers(left: readonly string[], right: readonly string[], at: number): number {
  const start = left[at] === '0' || right[at] === '0' ? leading(left, at) : 0;
  const [a, aLength] = numberAt(left, at, start);
  const [b, bLength] = numberAt(right, at, start);
  return a === b ? aLength - bLength : a - b;
}

/** 1 where the digits before hold more than zeros: then a zero counts as a digit of the number. */
function leading(text: readonly string[], at: number): number {
  for (let i = at - 1; i >= 0 && DIGIT.test(text[i] as string); i--) if (text[i] !== '0') return 1;
  return 0;
}

function numberAt(text: readonly string[], at: number, start: number): [value: number, length: number] {
  let value = start;
  let i = at;
  for (; i < text.length && DIGIT.test(text[i] as string); i++) value = value * 10 + Number(text[i]);
  return [value, i - at];
}
