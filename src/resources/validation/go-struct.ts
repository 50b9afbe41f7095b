/**
 * How upstream's messages print a bad value that is a whole struct of its internal types: all fields, under their Go names,
 * with Go's zero values for what is absent.
 */

import { canonical } from '../../apimachinery/quantity.ts';
import { unifiedDiff } from '../../apimachinery/unified-diff.ts';

/** Gives a value as it is printed. */
export type Printed = (value: unknown) => unknown;

const zero =
  (absent: unknown): Printed =>
  (value) =>
    value ?? absent;

/** A string that is empty when absent. */
export const text = zero('');
/** A number that is 0 when absent. */
export const number = zero(0);
/** A flag that is false when absent. */
export const flag = zero(false);
/** A pointer, a list or a map of plain values: null when absent. */
export const nullable = zero(null);

/** `NodeID` is `nodeID` in JSON, `CEL` is `cel`, `DNSPolicy` is `dnsPolicy`: a first word in capitals is lowered as a whole. */
function jsonName(goName: string): string {
  if (goName.startsWith('SELinux')) return `seLinux${goName.slice('SELinux'.length)}`;
  return goName.replace(/^([A-Z]+)(?=[A-Z][a-z]|$)|^[A-Z]/, (word) => word.toLowerCase());
}

/** The printers of fields, by their Go names, in their order. */
export type Fields = Record<string, Printed>;

/** Fields of one kind of value that follow each other. */
export const all = (print: Printed, ...names: string[]): Fields =>
  Object.fromEntries(names.map((name) => [name, print]));

/** A struct by the Go names of its fields, in their order; `json` says what those are called in JSON whose name does not follow. */
export function struct(fields: Fields, json: Record<string, string> = {}): Printed {
  const entries = Object.entries(fields).map(([name, print]) => [name, json[name] ?? jsonName(name), print] as const);
  return (value) => {
    const source = (value ?? {}) as Record<string, unknown>;
    return Object.fromEntries(entries.map(([name, key, print]) => [name, print(source[key])]));
  };
}

/** A list of what has a shape of its own. */
export function listOf(print: Printed): Printed {
  return (value) => (Array.isArray(value) ? value.map((item) => print(item)) : null);
}

/** A pointer to what has a shape of its own. */
export function pointerTo(print: Printed): Printed {
  return (value) => (value === undefined || value === null ? null : print(value));
}

/** A map, by its keys in order. */
export function mapOf(print: Printed): Printed {
  return pointerTo((value) => {
    const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, item]) => [key, print(item)]));
  });
}

/** A map of strings. */
export const textMap = mapOf(text);

/** A quantity: `0` when absent. */
export const quantity: Printed = (value) =>
  typeof value === 'string' || typeof value === 'number' ? canonical(value) : '0';

/** A map of quantities. */
export const quantities = mapOf(quantity);

/** A struct with JSON names in Go too, as those of `metav1` have, that leaves out what is absent or empty. */
export function tagged(fields: Fields): Printed {
  const entries = Object.entries(fields);
  return (value) => {
    const source = (value ?? {}) as Record<string, unknown>;
    const printed = entries.map(([name, print]) => [name, print(source[name])] as const);
    return Object.fromEntries(printed.filter(([, item]) => !isNothing(item)));
  };
}

const isNothing = (printed: unknown): boolean =>
  printed === null || (typeof printed === 'object' && Object.keys(printed as object).length === 0);

/** The text that Go's `json.MarshalIndent` makes of a printed value, with an indent of one space. */
export function indented(printed: unknown): string {
  return JSON.stringify(printed, null, 1).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What changed between two values of a type, as upstream's messages end (`diff.Diff`): lines, the last one ended too. */
export function structDiff(print: Printed, from: unknown, to: unknown): string {
  return unifiedDiff(indented(print(from)), indented(print(to)));
}
