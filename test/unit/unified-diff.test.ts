import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/apimachinery/unified-diff.ts';

const text = (...lines: string[]): string => lines.join('\n');
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

/** Follows a diff: an independent reading of what it says. */
function patched(from: string, diff: string): string {
  const source = from.split('\n');
  const result: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(0, -1)) {
    const header = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$/.exec(line);
    if (header !== null) {
      const start = Number(header[1]) - (header[2] === '0' ? 0 : 1);
      while (at < start) result.push(source[at++] ?? '');
    } else if (line.startsWith('+')) result.push(line.slice(1));
    else {
      expect(source[at]).toBe(line.slice(1));
      if (line.startsWith(' ')) result.push(line.slice(1));
      at++;
    }
  }
  return [...result, ...source.slice(at)].join('\n');
}

describe('unifiedDiff', () => {
  it('says nothing of equal texts', () => {
    expect(unifiedDiff('a\nb', 'a\nb')).toBe('');
  });

  it.each([
    ['a line that changed', text('a', 'b', 'c'), text('a', 'x', 'c'), '@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n'],
    ['the only line', 'a', 'b', '@@ -1 +1 @@\n-a\n+b\n'],
    ['lines that came first', 'b', text('a', 'b'), '@@ -1 +1,2 @@\n+a\n b\n'],
    ['all in common but the end', text('a', 'b'), 'a', '@@ -1,2 +1 @@\n a\n-b\n'],
    // The longest common run wins, not the first line that both begin with.
    ['a run that moved', text('a', 'b'), text('a', 'c', 'a', 'b'), '@@ -1,2 +1,4 @@\n+a\n+c\n a\n b\n'],
  ])('shows %s', (_, from, to, expected) => {
    expect(unifiedDiff(from, to)).toBe(expected);
  });

  it('shows changes together whose surroundings touch, and others apart', () => {
    const from = numbered(20);
    const change = (...at: number[]) => from.map((line, index) => (at.includes(index) ? 'new' : line)).join('\n');
    const hunks = (diff: string) => diff.split('\n').filter((line) => line.startsWith('@@'));
    expect(hunks(unifiedDiff(from.join('\n'), change(2, 9)))).toEqual(['@@ -1,13 +1,13 @@']);
    expect(hunks(unifiedDiff(from.join('\n'), change(2, 10)))).toEqual(['@@ -1,6 +1,6 @@', '@@ -8,7 +8,7 @@']);
  });

  it('starts no run with a line that a long text is full of', () => {
    const from = [...numbered(150), ...Array.from({ length: 60 }, () => '}')];
    const to = [...Array.from({ length: 60 }, () => '}'), ...numbered(150)];
    // Sixty braces are a shorter run than 150 lines; without the lines they are none at all.
    expect(unifiedDiff(from.join('\n'), to.join('\n')).split('\n')[0]).toBe('@@ -1,3 +1,63 @@');
    const braces = Array.from({ length: 210 }, () => '}');
    const diff = unifiedDiff(['a', ...braces].join('\n'), ['b', ...braces].join('\n'));
    expect(diff.split('\n')[0]).toBe('@@ -1,211 +1,211 @@');
  });

  it('leads from the one text to the other', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 200; round++) {
      const lines = () => Array.from({ length: 1 + random(30) }, () => String.fromCharCode(97 + random(5))).join('\n');
      const [from, to] = [lines(), lines()];
      expect(patched(from, unifiedDiff(from, to))).toBe(to);
    }
  });

  it('stays quick whatever the texts are', () => {
    const lines = (shift: number) => Array.from({ length: 40_000 }, (_, i) => `${(i * 7919 + shift) % 997}`).join('\n');
    const started = performance.now();
    expect(unifiedDiff(lines(0), lines(1))).not.toBe('');
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
