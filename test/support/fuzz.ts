/** Bodies by chance, whole, cut and spoilt, sent the way of a create: each is taken or refused as the client's mistake, in good time. */
import { decodeBytes } from '../../src/api/decode.ts';
import { patchBody } from '../../src/api/handlers/patch-body.ts';
import { tableRow } from '../../src/api/printers/table.ts';
import { decideChange } from '../../src/api/registry/change.ts';
import { beforeCreate, fillSystemFields } from '../../src/api/registry/create.ts';
import { encode } from '../../src/api/registry/encode.ts';
import { nameOf } from '../../src/api/registry/resource-name.ts';
import type { PatchType } from '../../src/apimachinery/client.ts';
import { define } from '../../src/apimachinery/codec/depth.ts';
import { encodeProtobuf, encodeYaml } from '../../src/apimachinery/codec/index.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import { formatApiVersion, type JsonObject, type KubeObject } from '../../src/apimachinery/meta.ts';
import { schemaFor } from '../../src/apimachinery/schema/index.ts';
import { resources } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { type Chance, randomMessage } from './random.ts';

/** Nothing may take longer, in ms. */
const SLOW_MS = 5000;
const TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const;

/** A patch of a new object. */
export interface FuzzedPatch {
  resource: Resource;
  patchType: PatchType;
  bytes: Uint8Array;
}

export interface Fuzzed {
  resource: Resource;
  type: (typeof TYPES)[number];
  bytes: Uint8Array;
}

/** What became of a body: `taken`, `refused 422`, or a sentence that begins with `WRONG`. */
export type Outcome = string;

const utf8 = new TextEncoder();

/** A body by chance. */
export function randomBody(chance: Chance): Fuzzed {
  const resource = chance.pick(resources);
  const type = chance.pick(TYPES);
  const whole = chance.happens(0.9) ? encoded(randomObject(resource, chance), type) : noise(chance);
  return { resource, type, bytes: spoilt(whole, chance) };
}

const PATCHES: readonly PatchType[] = ['merge', 'strategic', 'json', 'apply'];
const SMALL = [
  { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x', labels: { a: 'b' } }, data: { a: '1', b: '2' } },
  {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'x', finalizers: ['example.com/a', 'example.com/b'] },
    spec: { type: 'ExternalName', externalName: 'example.com', ports: [{ port: 80 }, { name: 'b', port: 81 }] },
  },
];

/** A patch by chance. */
export function randomPatch(chance: Chance): FuzzedPatch {
  const resource = chance.pick(resources.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Service'));
  const patchType = chance.pick(PATCHES);
  const object = randomObject(resource, chance);
  const patch = patchType === 'json' ? randomOperations(chance) : directed(object, chance);
  return { resource, patchType, bytes: spoilt(utf8.encode(JSON.stringify(patch)), chance) };
}

const POINTERS = [
  '/data/a',
  '/metadata/labels/a',
  '/spec/ports/0',
  '/spec/ports/-',
  '/__proto__/x',
  '/constructor/prototype/x',
  '',
  '/metadata',
];

function randomOperations(chance: Chance): JsonObject[] {
  return Array.from({ length: chance.below(5) }, () => ({
    op: chance.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'other']),
    path: chance.pick(POINTERS),
    from: chance.pick(POINTERS),
    value: chance.pick<JsonObject[string]>(['1', 1, null, {}, { port: 1 }, []]),
  }));
}

/** With directives of strategic merge patches, sensible or not, and keys that are no ordinary ones. */
function directed(object: JsonObject, chance: Chance): JsonObject {
  const directives: [string, JsonObject[string]][] = [
    ['$patch', chance.pick<string>(['replace', 'delete', 'merge', 'other'])],
    ['$retainKeys', ['data', 'metadata']],
    ['$setElementOrder/ports', [{ port: 81 }, { port: 80 }, 'x']],
    ['$deleteFromPrimitiveList/finalizers', ['example.com/a']],
    ['__proto__', { x: 1 }],
    ['constructor', { prototype: { x: 1 } }],
  ];
  const into = chance.pick([object, object['metadata'], object['spec']].filter(isObject));
  for (const [key, value] of chance.some(directives, 0.2)) define(into, key, value ?? null);
  return object;
}

const isObject = (value: JsonObject[string]): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Patches an object with it, as the store does. Of a patch that makes no sense upstream says that it is its own failure. */
export function outcomeOfPatch({ resource, patchType, bytes }: FuzzedPatch): Outcome {
  const live = SMALL.find(({ kind }) => kind === resource.kind);
  const text = JSON.stringify(live).replace('"metadata":{', '"metadata":{"resourceVersion":"1",');
  return timed(() => {
    const options = { fieldManager: 'fuzz', dryRun: false, fieldValidation: 'Warn', force: true } as const;
    const body = patchBody(new TextDecoder().decode(bytes), patchType, options, []);
    const change = { do: 'patch', resource: nameOf(resource), type: patchType, body, options } as const;
    const outcome = decideChange(change, 'default/x')(
      { ...encode(resource, live as unknown as KubeObject), key: 'default/x', text, resourceVersion: 1 },
      1,
    );
    if (outcome.do !== 'fail') return;
    const { code, reason } = outcome.status;
    throw new StatusError(code === 500 && reason === undefined ? { ...outcome.status, code: 422 } : outcome.status);
  });
}

function randomObject(resource: Resource, chance: Chance): JsonObject {
  const apiVersion = formatApiVersion(resource);
  const schema = schemaFor(apiVersion, resource.kind);
  if (schema === undefined) throw new Error(`${resource.kind} has no schema`);
  return { kind: resource.kind, apiVersion, ...randomMessage(schema, chance) };
}

function encoded(object: JsonObject, type: Fuzzed['type']): Uint8Array {
  if (type === 'application/vnd.kubernetes.protobuf') return encodeProtobuf(object);
  return utf8.encode(type === 'application/yaml' ? encodeYaml(object) : JSON.stringify(object));
}

const noise = (chance: Chance): Uint8Array => Uint8Array.from({ length: chance.below(200) }, () => chance.below(256));

/** What is put in the middle of a body: keys of the language, numbers too large, texts that are no text, values that nest and multiply. */
const TOKENS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    'null',
    'true',
    '-',
    '#',
    '\n',
    '\t',
    '&a ',
    '*a ',
    '<<: *a',
    '!!binary x',
    '---\n',
    '? ',
    '|2-\n',
  ],
  ...[
    '"__proto__":{"x":1},',
    '"constructor":{"prototype":{}},',
    '__proto__: {x: 1}\n',
    '"toString":1,',
    '"metadata":1,',
    '"spec":[],',
  ],
  ...['1e999', '-1e999', '123456789012345678901234567890', '0.1e-400', '-0', '0x10', '1_000', '.inf', '.nan', '0o7'],
  ...['"\\ud800"', '\\udfff', '\\u0000', '\u2028', '\u0000', '\ufeff', '"\\x"'],
  ...['['.repeat(10_000), '{"a":'.repeat(10_000), '- '.repeat(10_000), '? '.repeat(10_000), '\x0a\x02'.repeat(10_000)],
].map((token) => utf8.encode(token));

function spoilt(whole: Uint8Array, chance: Chance): Uint8Array {
  let bytes = whole;
  const times = chance.below(4);
  for (let i = 0; i < times; i++) {
    const at = chance.below(bytes.length + 1);
    switch (chance.below(5)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes = bytes.slice(at);
        break;
      case 2:
        bytes = joined(bytes.subarray(0, at), chance.pick(TOKENS), bytes.subarray(at));
        break;
      case 3:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(chance.below(bytes.length + 1)));
        break;
      default:
        bytes = Uint8Array.from(bytes);
        if (bytes.length > 0) bytes[at % bytes.length] = chance.below(256);
    }
  }
  return bytes;
}

const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Sends a body the way of a create, up to the store. */
export function outcomeOf({ resource, type, bytes }: Fuzzed): Outcome {
  return timed(() => {
    const { object } = decodeBytes(bytes, type, resource, 'Warn');
    if (Object.getPrototypeOf(object) !== Object.prototype) throw new Error('it has another prototype');
    resource.strategy.default?.(object);
    fillSystemFields(object);
    beforeCreate(resource, object);
    encode(resource, object);
    tableRow(resource, object, 'None', Date.now());
  });
}

function timed(work: () => void): Outcome {
  const started = performance.now();
  const outcome = attempt(work);
  const took = performance.now() - started;
  if (({} as { x?: unknown }).x !== undefined) return 'WRONG: the prototype of all objects has changed';
  return took > SLOW_MS ? `WRONG: it took ${Math.round(took)} ms` : outcome;
}

function attempt(work: () => void): Outcome {
  try {
    work();
    return 'taken';
  } catch (error) {
    if (error instanceof StatusError && error.status.code >= 400 && error.status.code < 500)
      return `refused ${error.status.code}`;
    return `WRONG: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}
