/**
 * How upstream's messages print a bad value that is a whole struct of its internal types: all fields, under their Go names,
 * with Go's zero values for what is absent.
 */

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

/** A struct by the Go names of its fields, in their order. */
export function struct(fields: Record<string, Printed>): Printed {
  const entries = Object.entries(fields).map(([name, print]) => [name, jsonName(name), print] as const);
  return (value) => {
    const source = (value ?? {}) as Record<string, unknown>;
    return Object.fromEntries(entries.map(([name, json, print]) => [name, print(source[json])]));
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
