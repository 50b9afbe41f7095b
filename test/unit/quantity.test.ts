import { describe, expect, it } from 'vitest';
import {
  addText,
  canonical,
  compareQuantity,
  formatQuantity,
  fromMilli,
  fromNumber,
  parseQuantity,
  QUANTITY_ERROR,
  subText,
  toMilli,
  toNumber,
} from '../../src/apimachinery/quantity.ts';

describe('canonical', () => {
  it.each([
    ['0', '0'],
    ['00', '0'],
    ['0Gi', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.', '1.'],
    ['+1', '+1'],
    ['007', '007'],
    ['1.500', '1.500'],
    ['0.500', '500m'],
    ['1e+3', '1e+3'],
    ['010Mi', '010Mi'],
    ['01024Mi', '1Gi'],
    ['-1.5', '-1500m'],
    ['1024', '1024'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1Ki', '1Ki'],
    ['0.5Ki', '512'],
    ['1000Ki', '1000Ki'],
    ['0.5Mi', '512Ki'],
    ['1000k', '1M'],
    ['1e3', '1e3'],
    ['12E6', '12E6'],
    ['1200E5', '120e6'],
    ['1e0', '1e0'],
    ['1E', '1E'],
    ['1Ei', '1Ei'],
    ['100000', '100k'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1.0000000001', '1000000001n'],
    ['1e20', '100e18'],
    ['1e22', '10e21'],
    ['100E', '100E'],
    ['100Ei', '9223372036854775807'],
    ['-', '0'],
    ['+', '0'],
    ['.', '0'],
    ['m', '0'],
    ['Ti', '0'],
    ['e-9', '0'],
    ['1e-999999999', '1e-9'],
    ['0e999999999', '0'],
    ['0.1Mi', '104857600m'],
    ['123456789Ki', '123456789Ki'],
  ])('%s is %s', (text, expected) => expect(canonical(text)).toBe(expected));

  it('takes numbers', () => expect(canonical(2)).toBe('2'));
  it('is not slow on long numbers', () => {
    expect(canonical('9'.repeat(500_000))).toBe('9223372036854775807');
    expect(canonical(`0.${'0'.repeat(500_000)}1`)).toBe('1n');
    expect(canonical(`1.${'0'.repeat(500_000)}1`)).toBe('1000000001n');
  });
});

it.each([
  ['', QUANTITY_ERROR],
  ['x', QUANTITY_ERROR],
  ['1 Gi', QUANTITY_ERROR],
  ['Bad_Value!', QUANTITY_ERROR],
  ['1gi', QUANTITY_ERROR],
  ['1K', "unable to parse quantity's suffix"],
  ['1mi', "unable to parse quantity's suffix"],
  ['1e', "unable to parse quantity's suffix"],
  ['Pi', 'unable to parse numeric part of quantity'],
  ['e-10', 'unable to parse numeric part of quantity'],
])('refuses %j', (text, message) => expect(() => parseQuantity(text)).toThrow(message));

it('rounds values up', () => {
  expect(toNumber('1500m')).toBe(2);
  expect(toNumber('1Ki')).toBe(1024);
  expect(toNumber('-1500m')).toBe(-2);
  expect(toMilli('0.0001')).toBe(1);
  expect(toMilli('2')).toBe(2000);
});

it('calculates', () => {
  expect(addText('1Gi', '512Mi')).toBe('1536Mi');
  expect(addText('0', '1Gi')).toBe('1Gi');
  expect(subText('1', '250m')).toBe('750m');
  expect(compareQuantity('1000m', '1')).toBe(0);
  expect(compareQuantity('1Ki', '1k')).toBe(1);
  expect(compareQuantity('-1', '0')).toBe(-1);
  expect(formatQuantity(fromMilli(1500))).toBe('1500m');
  expect(formatQuantity(fromNumber(1048576, 'BinarySI'))).toBe('1Mi');
  expect(parseQuantity('1').nano).toBe(1_000_000_000n);
});
