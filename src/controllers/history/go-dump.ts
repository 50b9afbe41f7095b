/** A pod template as Go's controllers write it down to hash it (`dump.ForHash`): every field in its order, with its type. Pure. */
import { canonical, DECIMAL, parseQuantity } from '../../apimachinery/quantity.ts';
import { TEMPLATE_TYPES } from './go-types.ts';

interface Field {
  name: string;
  /** In JSON; empty for an embedded type, whose fields stand beside the others. */
  key: string;
  type: string;
}

const QUANTITY = 'resource.Quantity';
const ZERO_TIME = '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';

/** `DNSPolicy` is `dnsPolicy` in JSON. */
function jsonName(name: string): string {
  const [capitals = ''] = /^[A-Z]+(?=[A-Z][a-z])|^[A-Z0-9]+$|^[A-Z]/.exec(name) ?? [];
  return capitals.toLowerCase() + name.slice(capitals.length);
}

function parseField(text: string): Field {
  if (text.startsWith('+')) return { name: text.slice(1), key: '', type: text.slice(1) };
  const equals = text.indexOf('=');
  const [name = '', key = jsonName(name)] = text.slice(0, equals).split(':');
  return { name, key, type: text.slice(equals + 1) };
}

/** Read when the first template is hashed: most wakes hash none. */
let types: Map<string, Field[]> | undefined;

function fieldsOf(type: string): Field[] | undefined {
  types ??= new Map(
    TEMPLATE_TYPES.trim()
      .split('\n')
      .map((line) => {
        const [name = '', ...fields] = line.split(' ');
        return [name, fields.map(parseField)];
      }),
  );
  return types.get(type);
}

/** Types without a package are those of `v1`. */
const shown = (type: string): string =>
  type.replace(/\b[A-Za-z0-9]+(\.[A-Za-z]+)?\b/g, (name, inPackage) =>
    inPackage === undefined && /^[A-Z]/.test(name) ? `v1.${name}` : name,
  );

/** `value` as Go's spew prints it with `%#v`; without a value the type's zero. */
export function dump(type: string, value: unknown, typed = true): string {
  const prefix = typed ? `(${shown(type)})` : '';
  if (type.startsWith('*')) return prefix + (value === undefined ? '<nil>' : dump(type.slice(1), value, false));
  return prefix + dumpValue(type, value);
}

function dumpValue(type: string, value: unknown): string {
  if (type.startsWith('[]')) {
    const items = (value ?? []) as unknown[];
    return items.length === 0 ? '<nil>' : `[${items.map((item) => dump(type.slice(2), item, false)).join(' ')}]`;
  }
  if (type === 'ResourceList') return dumpMap(QUANTITY, value);
  if (type === 'map[string]string') return dumpMap('string', value);
  if (type === QUANTITY) return dumpQuantity((value as string | number | undefined) ?? '0');
  if (type === 'intstr.IntOrString') return dumpIntOrString((value as string | number | undefined) ?? 0);
  if (type === 'Time') return ZERO_TIME;
  if (type === 'bool') return String(value ?? false);
  if (type === 'int32' || type === 'int64') return String(value ?? 0);
  const fields = fieldsOf(type);
  if (fields === undefined) return String(value ?? '');
  const object = (value ?? {}) as Record<string, unknown>;
  const told = fields.map(({ name, key, type: of }) => `${name}:${dump(of, key === '' ? object : object[key])}`);
  return `{${told.join(' ')}}`;
}

function dumpMap(of: string, value: unknown): string {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0
    ? '<nil>'
    : `map[${entries.map(([key, one]) => `${key}:${dump(of, one, false)}`).join(' ')}]`;
}

/** A quantity holds its number, and the text that it was read from; in binary multiples that only where the number is no multiple of 8. */
function dumpQuantity(input: string | number): string {
  const text = canonical(input);
  const quantity = parseQuantity(text);
  const [, digits = '0', suffix = ''] = /^([-+]?\d+)(.*)$/.exec(text) ?? [];
  const binary = quantity.format === 'BinarySI' && suffix !== '';
  const scale = binary ? 0 : (DECIMAL[suffix] ?? Number(suffix.slice(1)));
  const number = binary ? quantity.nano / 1_000_000_000n : digits;
  const kept = quantity.format === 'BinarySI' && text !== '0' && BigInt(digits) % 8n === 0n ? '' : text;
  const amount = `{value:(int64)${number} scale:(resource.Scale)${scale}}`;
  const decimal = '{Dec:(*inf.Dec)<nil>}';
  return `{i:(resource.int64Amount)${amount} d:(resource.infDecAmount)${decimal} s:(string)${kept} Format:(resource.Format)${quantity.format}}`;
}

function dumpIntOrString(value: string | number): string {
  const [type, number, text] = typeof value === 'number' ? [0, value, ''] : [1, 0, value];
  return `{Type:(intstr.Type)${type} IntVal:(int32)${number} StrVal:(string)${text}}`;
}
