/**
 * Messages are written one a line: `Name field=1:type …`.
 *
 * | written | means |
 * | --- | --- |
 * | `^Name` | it is an object or has kind and apiVersion of its own |
 * | `Name\|A`, `field=…\|A` | the whole is one value to server-side apply (`x-kubernetes-map-type: atomic`) |
 * | `field=…\|G` | it is not, though its message says so (`granular`) |
 * | `field=…\|d:value` | the schema's default; without a value a zero |
 * | `field*` | the schema says required |
 * | `field=…\|v` | a message that Go holds by value: it is always written |
 * | `field=…\|w` | written even when it is empty, though it is not required |
 * | `s i l b d y` | string, int32, int64, bool, double, bytes; any other word is a message, of another group-version with its name before it |
 * | `[]type`, `{}type`, `&type` | a list; a map by string; a message whose fields stand in the parent's JSON |
 * | `\|a`, `\|s`, `\|m:k+k` | the list is atomic, a set, a map by these keys |
 * | `\|p:strategy:key` | patchStrategy and patchMergeKey |
 */

export type Kind = 'string' | 'int32' | 'int64' | 'bool' | 'double' | 'bytes' | 'message';

export interface Field {
  /** As in JSON; of an inlined message, as in the protobuf. */
  name: string;
  /** Its number in protobuf. */
  number: number;
  kind: Kind;
  /** Where `kind` is `message`. */
  message?: MessageSchema;
  shape: 'one' | 'repeated' | 'map' | 'inline';
  required: boolean;
  /** A message that is always written, be it empty. */
  byValue: boolean;
  /** Written even when nobody has set it, though it is not required. */
  always: boolean;
  listType?: 'atomic' | 'set' | 'map';
  mapKeys?: string[];
  /** True: the map or message is one value. False: it is not, whatever the message says (`granular`). */
  atomicMap?: boolean;
  /** As the schema says; items of a list are told apart with it. */
  default?: boolean | number | string;
  patchStrategy?: string;
  patchMergeKey?: string;
}

/** A message that JSON writes in a way of its own. */
export type Special =
  | 'Time'
  | 'MicroTime'
  | 'Duration'
  | 'Quantity'
  | 'IntOrString'
  | 'Raw'
  | 'StringList'
  | 'SchemaOrArray'
  | 'SchemaOrBool'
  | 'SchemaOrStringArray';

export interface MessageSchema {
  /** `core.v1.Pod` */
  name: string;
  /** By JSON name; the fields of inlined messages are among them. */
  fields: ReadonlyMap<string, Field>;
  /** As in protobuf, by number: inlined messages are one field. */
  wire: readonly Field[];
  hasTypeMeta: boolean;
  atomic: boolean;
  special?: Special;
}

const SCALARS: Record<string, Kind> = { s: 'string', i: 'int32', l: 'int64', b: 'bool', d: 'double', y: 'bytes' };

const SPECIALS: Record<string, Special> = {
  'meta.v1.Time': 'Time',
  'meta.v1.MicroTime': 'MicroTime',
  'meta.v1.Duration': 'Duration',
  'meta.v1.FieldsV1': 'Raw',
  'meta.v1.Verbs': 'StringList',
  'quantity.Quantity': 'Quantity',
  'intstr.IntOrString': 'IntOrString',
  'runtime.RawExtension': 'Raw',
  'apiextensions.v1.JSON': 'Raw',
  'apiextensions.v1.JSONSchemaPropsOrArray': 'SchemaOrArray',
  'apiextensions.v1.JSONSchemaPropsOrBool': 'SchemaOrBool',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'SchemaOrStringArray',
  'authentication.v1.ExtraValue': 'StringList',
  'authorization.v1.ExtraValue': 'StringList',
  'certificates.v1.ExtraValue': 'StringList',
};

/** Parses a message's line; its own messages are looked up when they are first asked for. */
export function parseMessage(pkg: string, line: string, lookUp: (name: string) => MessageSchema): MessageSchema {
  const [head = '', ...rest] = line.split(' ');
  const hasTypeMeta = head.startsWith('^');
  const [bare = '', atomic] = (hasTypeMeta ? head.slice(1) : head).split('|');
  const wire = rest.map((text) => parseField(pkg, text, lookUp)).sort((a, b) => a.number - b.number);
  const name = `${pkg}.${bare}`;
  let fields: ReadonlyMap<string, Field> | undefined;
  const special = SPECIALS[name];
  return {
    name,
    wire,
    hasTypeMeta,
    atomic: atomic === 'A',
    ...(special === undefined ? {} : { special }),
    get fields() {
      fields ??= new Map(wire.flatMap(flatten).map((field) => [field.name, field]));
      return fields;
    },
  };
}

function flatten(field: Field): Field[] {
  return field.shape === 'inline' ? [...(field.message as MessageSchema).fields.values()] : [field];
}

const FIELD = /^([^=*]+)(\*?)=(\d+):(\[\]|\{\}|&)?([^|]+)(.*)$/;
const SHAPES: Record<string, Field['shape']> = { '[]': 'repeated', '{}': 'map', '&': 'inline' };

function parseField(pkg: string, text: string, lookUp: (name: string) => MessageSchema): Field {
  const match = FIELD.exec(text);
  if (match === null) throw new Error(`schema of ${pkg}: cannot read ${text}`);
  const [, name = '', star, number, shape, type = '', flags = ''] = match;
  const kind = SCALARS[type] ?? 'message';
  const field: Field = {
    name,
    number: Number(number),
    kind,
    shape: SHAPES[shape ?? ''] ?? 'one',
    required: star === '*',
    byValue: false,
    always: false,
  };
  if (kind === 'message') lazily(field, () => lookUp(type.includes('.') ? type : `${pkg}.${type}`));
  for (const flag of flags.split('|').slice(1)) readFlag(field, flag);
  return field;
}

function lazily(field: Field, load: () => MessageSchema): void {
  let message: MessageSchema | undefined;
  Object.defineProperty(field, 'message', {
    enumerable: false,
    get: () => {
      message ??= load();
      return message;
    },
  });
}

function readFlag(field: Field, flag: string): void {
  const [letter, first = '', second] = flag.split(':');
  switch (letter) {
    case 'a':
      field.listType = 'atomic';
      break;
    case 's':
      field.listType = 'set';
      break;
    case 'm':
      field.listType = 'map';
      field.mapKeys = first.split('+');
      break;
    case 'A':
    case 'G':
      field.atomicMap = letter === 'A';
      break;
    case 'v':
      field.byValue = true;
      break;
    case 'w':
      field.always = true;
      break;
    case 'd':
      field.default = field.kind === 'string' ? first : field.kind === 'bool' ? first === 'true' : Number(first);
      break;
    default:
      field.patchStrategy = first;
      if (second !== undefined) field.patchMergeKey = second;
  }
}
