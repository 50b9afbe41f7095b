/** Kubernetes' protobuf: `k8s\0`, an envelope with kind and apiVersion, and the object by its schema's field numbers. */
import { badRequest } from '../errors.ts';
import { formatApiVersion, type GroupVersion, type JsonObject } from '../meta.ts';
import { type MessageSchema, schemaByName, schemaFor } from '../schema/index.ts';
import { decodeMessage } from './protobuf-read.ts';
import { encodeMessage } from './protobuf-write.ts';
import { BYTES, numberOf, Reader, typeOf, Writer } from './wire.ts';

const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** Decodes a body with its envelope; one of the kind of `unversioned` in whatever version it says. Throws BadRequest for anything that is not one. */
export function decodeProtobuf(
  bytes: Uint8Array,
  unversioned?: GroupVersion & { kind: string },
): { apiVersion: string; kind: string; object: JsonObject } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix 6b 38 73 00');
  }
  const { apiVersion, kind, raw } = readEnvelope(new Reader(bytes, MAGIC.length));
  const version = kind === unversioned?.kind ? formatApiVersion(unversioned) : apiVersion;
  const schema = schemaFor(version, kind);
  if (schema === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  const object = decodeMessage(raw, schema, 0);
  return { apiVersion, kind, object: { kind, apiVersion, ...object } };
}

/** Encodes an object with its envelope. Throws BadRequest for kinds that are not built in. */
export function encodeProtobuf(object: JsonObject): Uint8Array {
  const apiVersion = String(object['apiVersion'] ?? '');
  const kind = String(object['kind'] ?? '');
  const schema = schemaFor(apiVersion, kind);
  if (schema === undefined) throw badRequest(`${kind} of ${apiVersion} cannot be written as protobuf`);
  const writer = new Writer();
  writer.raw(MAGIC);
  writer.nested(1, () => {
    writer.text(1, apiVersion);
    writer.text(2, kind);
  });
  writer.nested(2, () => encodeMessage(writer, object, schema));
  writer.text(3, '');
  writer.text(4, '');
  return writer.finish();
}

/** Upstream's `LengthDelimitedFramer`: so many bytes say how long a frame is. */
const FRAME_HEADER = 4;

/** A watch event as a frame of a stream: its length, and `meta.v1.WatchEvent` without an envelope around the object's with one. */
export function encodeWatchEvent(type: string, object: JsonObject): Uint8Array {
  const bytes = encodeProtobuf(object);
  const writer = new Writer();
  writer.raw(new Uint8Array(FRAME_HEADER));
  writer.text(1, type);
  writer.nested(2, () => writer.bytes(1, bytes));
  const frame = writer.finish();
  new DataView(frame.buffer, frame.byteOffset).setUint32(0, frame.byteLength - FRAME_HEADER);
  return frame;
}

/** `runtime.Unknown`. */
function readEnvelope(reader: Reader): { apiVersion: string; kind: string; raw: Reader } {
  const found = { apiVersion: '', kind: '', raw: new Reader(new Uint8Array()) };
  while (!reader.done) {
    const tag = reader.tag();
    if (numberOf(tag) === 1 && typeOf(tag) === BYTES) {
      const typeMeta = decodeMessage(reader.nested(), schemaByName('runtime.TypeMeta') as MessageSchema, 0);
      found.apiVersion = String(typeMeta['apiVersion'] ?? '');
      found.kind = String(typeMeta['kind'] ?? '');
    } else if (numberOf(tag) === 2 && typeOf(tag) === BYTES) found.raw = reader.nested();
    else reader.skip(typeOf(tag));
  }
  return found;
}
