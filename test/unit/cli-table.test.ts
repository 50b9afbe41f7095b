import { expect, it } from 'vitest';
import { shortDuration, table } from '../../cli/table.ts';

it('columns are as wide as their widest cell', () => {
  expect(
    table([
      ['A', 'LONG', 'C'],
      ['aaa', '', 'c'],
    ]),
  ).toBe('A    LONG  C\naaa        c\n');
  expect(
    table(
      [
        ['A', 'B'],
        ['aaa', 'b'],
      ],
      3,
    ),
  ).toBe('A     B\naaa   b\n');
});

it.each([
  [-5000, '<invalid>'],
  [-1500, '0s'],
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_599_000, '59m'],
  [86_399_000, '23h'],
  [86_400_000, '1d'],
  [366 * 86_400_000, '1y'],
])('%d ms are %s', (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
});
