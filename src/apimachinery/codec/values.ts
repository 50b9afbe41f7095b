/** Values that JSON writes in a way of their own: quantities, times, durations, numbers or texts. */
import type { Json, JsonObject } from '../meta.ts';
import { canonical, canonicalMilli, QUANTITY_ERROR } from '../quantity.ts';
import { parseDuration, parseMicroTime, parseTime, timeProblem } from './time.ts';

/** A value that a field cannot hold; the message is Go's. The decoder says of which object. */
export class Mismatch extends Error {}

/** Whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type of a value as Go's json names it. */
export function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** A quantity in canonical form, out of a text or a number. */
export const quantityOf = (raw: Json): string => readQuantity(raw, canonical);

/** The same in a list of resources, where nothing is finer than thousandths. */
export const amountOf = (raw: Json): string => readQuantity(raw, canonicalMilli);

function readQuantity(raw: Json, read: (text: string | number) => string): string {
  if (typeof raw !== 'string' && typeof raw !== 'number') throw new Mismatch(QUANTITY_ERROR);
  try {
    return read(typeof raw === 'string' ? raw.trim() : raw);
  } catch (error) {
    throw new Mismatch((error as Error).message);
  }
}

/** A time as it is stored: whole seconds, or microseconds, in UTC. */
export function timeOf(text: string, micro: boolean): string {
  const parsed = micro ? parseMicroTime(text) : parseTime(text);
  if (parsed === undefined) throw new Mismatch(timeProblem(text, micro));
  return parsed;
}

/** A duration, as it is. */
export function durationOf(text: string): string {
  if (parseDuration(text) === undefined) throw new Mismatch(`time: invalid duration ${JSON.stringify(text)}`);
  return text;
}
