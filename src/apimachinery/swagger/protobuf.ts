/** Swagger 2 as the protobuf that Go clients before 1.29 ask for. */
import { encodeYaml } from '../codec/index.ts';
import { FIXED64, VARINT, Writer } from '../codec/wire.ts';
import type { Json, JsonObject } from '../meta.ts';
import { type Choice, DOCUMENT, type Form, type Message, type Scalar } from './messages.ts';

/** A Swagger 2 document as `openapi.v2.Document`. Throws for what the messages have no field for. */
export function swaggerProtobuf(document: JsonObject): Uint8Array {
  const writer = new Writer();
  writeMessage(writer, document, DOCUMENT);
  return writer.finish();
}

function writeMessage(writer: Writer, object: JsonObject, { fields, extensions, named }: Message): void {
  for (const [key, value] of Object.entries(object) as [string, Json][]) {
    const field = fields?.[key];
    if (field !== undefined) {
      const [number, form, many] = field;
      for (const one of many === 'many' ? (value as Json[]) : [value]) writeField(writer, number, one, form);
    } else if (extensions !== undefined && key.startsWith('x-')) {
      writeNamed(writer, extensions, key, value, { as: 'any' });
    } else if (named !== undefined) writeNamed(writer, named[0], key, value, named[1]);
    else throw new Error(`OpenAPI v2: protobuf has no field for ${key}`);
  }
}

function writeNamed(writer: Writer, number: number, name: string, value: Json, form: Form): void {
  writer.nested(number, () => {
    writer.text(1, name);
    writeField(writer, 2, value, form);
  });
}

function writeField(writer: Writer, number: number, value: Json, form: Form | Choice): void {
  const { wrapped = [], as } = typeof form === 'function' ? form(value) : form;
  const write = ([inner, ...deeper]: readonly number[], at: number): void => {
    if (inner === undefined) writeValue(writer, at, value, as);
    else writer.nested(at, () => write(deeper, inner));
  };
  write(wrapped, number);
}

function writeValue(writer: Writer, number: number, value: Json, as: Scalar | Message): void {
  switch (as) {
    case 'string':
      writer.text(number, value as string);
      break;
    case 'bool':
      writer.tag(number, VARINT);
      writer.int(value === true ? 1 : 0);
      break;
    case 'int':
      writer.tag(number, VARINT);
      writer.int(value as number);
      break;
    case 'double':
      writer.tag(number, FIXED64);
      writer.double(value as number);
      break;
    case 'any':
      writer.nested(number, () => writer.text(2, encodeYaml(value)));
      break;
    case 'strings':
      writer.nested(number, () => {
        for (const text of [value].flat()) writer.text(1, text as string);
      });
      break;
    default:
      writer.nested(number, () => writeMessage(writer, value as JsonObject, as));
  }
}
