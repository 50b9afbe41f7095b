/** Chance that comes out the same every time, and objects made by it along their schemas. */
import type { Json, JsonObject } from '../../src/apimachinery/meta.ts';
import type { Field, MessageSchema } from '../../src/apimachinery/schema/index.ts';

/** A generator of chance out of a seed (mulberry32). */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Whether it happens, with this probability. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** Some of the values, in their order. */
  some<T>(values: readonly T[], probability = 0.5): T[] {
    return values.filter(() => this.happens(probability));
  }
}

const TEXTS = [
  '',
  'a',
  'b',
  'web',
  'x-1',
  'example.com/app',
  'TCP',
  'Always',
  '10%',
  'http',
  'ü',
  '😀',
  'A b\nc',
  '10.0.0.1',
  '::1',
  '-',
];
const NUMBERS = [0, 1, -1, 2, 80, 443, 65_535, 65_536, 2 ** 31 - 1];
const QUANTITIES = ['0', '1', '100m', '1Gi', '1.5', '-1', '1e3', '9223372036854775807'];
const TIMES = ['2026-01-02T03:04:05Z', '1970-01-01T00:00:00Z'];
const RAW: readonly Json[] = [{ a: 1 }, { 'f:metadata': { 'f:labels': { '.': {} } } }, null, 'x', [1, { b: null }]];
/** Below this, messages stay empty. */
const DEPTH = 6;

/** An object whose values fit their schema, though they hardly make sense. */
export function randomMessage(schema: MessageSchema, chance: Chance, depth = 0): JsonObject {
  const object: JsonObject = {};
  if (depth > DEPTH) return object;
  const share = depth < 2 ? 0.5 : 0.25;
  for (const field of schema.fields.values()) {
    if (field.required || chance.happens(share)) object[field.name] = randomField(field, chance, depth);
  }
  return object;
}

function randomField(field: Field, chance: Chance, depth: number): Json {
  const count = chance.below(3);
  if (field.shape === 'repeated') return Array.from({ length: count }, () => randomValue(field, chance, depth));
  if (field.shape === 'one') return randomValue(field, chance, depth);
  const keys = chance.some(['a', 'app', 'example.com/x', 'cpu', 'memory'], 0.4);
  return Object.fromEntries(keys.map((key) => [key, randomValue(field, chance, depth)]));
}

function randomValue(field: Field, chance: Chance, depth: number): Json {
  switch (field.kind) {
    case 'string':
      return chance.pick(TEXTS);
    case 'bool':
      return chance.happens(0.5);
    case 'bytes':
      return chance.pick(['', 'AAEC', 'eA==']);
    case 'message':
      return randomSpecial(field.message as MessageSchema, chance, depth);
    default:
      return chance.pick(NUMBERS);
  }
}

function randomSpecial(schema: MessageSchema, chance: Chance, depth: number): Json {
  switch (schema.special) {
    case 'Quantity':
      return chance.pick(QUANTITIES);
    case 'IntOrString':
      return chance.pick<Json>([80, '50%', 'http', -1]);
    case 'Time':
      return chance.pick(TIMES);
    case 'MicroTime':
      return '2026-01-02T03:04:05.000001Z';
    case 'Duration':
      return '1h0m0s';
    case 'Raw':
      return chance.pick(RAW);
    case 'StringList':
      return chance.some(TEXTS, 0.2);
    case 'SchemaOrArray':
    case 'SchemaOrBool':
    case 'SchemaOrStringArray':
      return { type: 'string' };
    default:
      return randomMessage(schema, chance, depth + 1);
  }
}
