import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../src/apimachinery/cel/libraries/mutation.ts';
import { parseCelDuration, parseTimestamp } from '../../src/apimachinery/cel/time.ts';

describe('values of expressions as JSON', () => {
  it.each([
    ['an int', 5n, 5],
    ['a uint', new UnsignedInt(5n), 5],
    ['bytes', new TextEncoder().encode('abc'), 'YWJj'],
    ['a time', parseTimestamp('2026-01-01T00:00:00.5+02:00'), '2026-01-01T00:00:00.5+02:00'],
    ['a duration', parseCelDuration('1m30s'), '90s'],
    ['a map', new Map([['a', [1n, null]]]), { a: [1, null] }],
  ])('%s', (_, value, json) => {
    expect(toJson(value)).toEqual(json);
  });

  it.each([
    ['a map with keys that are no texts', new Map([[1n, 'a']]), 'map key "1" is not a string'],
    ['what JSON has no number for', Number.NaN, 'json: unsupported value'],
  ])('%s is refused', (_, value, words) => {
    expect(() => toJson(value)).toThrow(words);
  });
});
