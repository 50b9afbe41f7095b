/** Reads `openapi.v2.Document` back into Swagger's JSON, with a reader for each message. */
import { parse } from 'yaml';
import { numberOf, Reader, typeOf } from '../../src/apimachinery/codec/wire.ts';

type Json = Record<string, unknown>;
type Read = (reader: Reader, into: Json) => void;

const text =
  (name: string): Read =>
  (reader, into) => {
    into[name] = reader.text();
  };
const texts =
  (name: string): Read =>
  (reader, into) => {
    into[name] = [...((into[name] as string[] | undefined) ?? []), reader.text()];
  };
const bool =
  (name: string): Read =>
  (reader, into) => {
    into[name] = reader.int() === 1;
  };
const int =
  (name: string): Read =>
  (reader, into) => {
    into[name] = reader.int();
  };
const double =
  (name: string): Read =>
  (reader, into) => {
    into[name] = reader.double();
  };
const one =
  (name: string, read: (reader: Reader) => unknown): Read =>
  (reader, into) => {
    const value = read(reader.nested());
    // A message that comes in two parts has the fields of both.
    const before = into[name];
    into[name] = typeof before === 'object' && before !== null ? { ...before, ...(value as object) } : value;
  };
const many =
  (name: string, read: (reader: Reader) => unknown): Read =>
  (reader, into) => {
    into[name] = [...((into[name] as unknown[] | undefined) ?? []), read(reader.nested())];
  };
const named =
  (read: (reader: Reader) => unknown): Read =>
  (reader, into) => {
    const { name, value } = message({ 1: text('name'), 2: one('value', read) })(reader.nested());
    into[String(name)] = value;
  };

const message =
  (fields: Record<number, Read>) =>
  (reader: Reader): Json => {
    const into: Json = {};
    while (!reader.done) {
      const tag = reader.tag();
      const read = fields[numberOf(tag)];
      if (read === undefined) throw new Error(`field ${numberOf(tag)} of type ${typeOf(tag)} was not expected`);
      read(reader, into);
    }
    return into;
  };
const inside =
  (fields: Record<number, Read>) =>
  (reader: Reader): unknown =>
    message(fields)(reader)['it'];

const any = (reader: Reader): unknown => parse(String(inside({ 2: text('it') })(reader)));
const types = (reader: Reader): unknown => {
  const found = inside({ 1: texts('it') })(reader) as string[];
  return found.length === 1 ? found[0] : found;
};
const schema = (reader: Reader): Json =>
  message({
    1: text('$ref'),
    2: text('format'),
    3: text('title'),
    4: text('description'),
    5: one('default', any),
    6: double('multipleOf'),
    7: double('maximum'),
    8: bool('exclusiveMaximum'),
    9: double('minimum'),
    10: bool('exclusiveMinimum'),
    11: int('maxLength'),
    12: int('minLength'),
    13: text('pattern'),
    14: int('maxItems'),
    15: int('minItems'),
    16: bool('uniqueItems'),
    17: int('maxProperties'),
    18: int('minProperties'),
    19: texts('required'),
    20: many('enum', any),
    21: one('additionalProperties', inside({ 1: one('it', schema), 2: bool('it') })),
    22: one('type', types),
    23: one('items', inside({ 1: one('it', schema) })),
    25: one('properties', message({ 1: named(schema) })),
    31: named(any),
  })(reader);

const body = message({ 2: text('name'), 3: text('in'), 4: bool('required'), 5: one('schema', schema) });
const query = message({
  1: bool('required'),
  2: text('in'),
  4: text('name'),
  6: text('type'),
  20: bool('uniqueItems'),
});
const path = message({ 1: bool('required'), 2: text('in'), 4: text('name'), 5: text('type'), 19: bool('uniqueItems') });
const nonBody = inside({ 3: one('it', query), 4: one('it', path) });
const parameter = inside({ 1: one('it', inside({ 1: one('it', body), 2: one('it', nonBody) })) });

const response = message({ 1: text('description'), 2: one('schema', inside({ 1: one('it', schema) })) });
const operation = message({
  3: text('description'),
  5: text('operationId'),
  6: texts('produces'),
  7: texts('consumes'),
  8: many('parameters', parameter),
  9: one('responses', message({ 1: named(inside({ 1: one('it', response) })) })),
  13: named(any),
});
const pathItem = message({
  2: one('get', operation),
  3: one('put', operation),
  4: one('post', operation),
  5: one('delete', operation),
  6: one('options', operation),
  7: one('head', operation),
  8: one('patch', operation),
  9: many('parameters', parameter),
});
const apiKey = message({ 1: text('type'), 2: text('name'), 3: text('in'), 4: text('description') });
const document = message({
  1: text('swagger'),
  2: one('info', message({ 1: text('title'), 2: text('version') })),
  8: one('paths', message({ 2: named(pathItem) })),
  9: one('definitions', message({ 1: named(schema) })),
  12: many('security', message({ 1: named((reader) => inside({ 1: texts('it') })(reader) ?? []) })),
  13: one('securityDefinitions', message({ 1: named(inside({ 2: one('it', apiKey) })) })),
});

/** The document; throws where a field is met that it does not have. */
export function decodeSwagger(bytes: Uint8Array): Json {
  return document(new Reader(bytes));
}
