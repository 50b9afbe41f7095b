/** Reads protobuf schemas out of the installed containerd binary, which embeds them: they always match the version in use. */
import { readFileSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { create, createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** How Go's gzip starts each embedded descriptor. */
const SIGNATURE = Buffer.from('1f8b08000000000002ff', 'hex');
const MAX_COMPRESSED = 400_000;
const MAX_DESCRIPTOR = 4_000_000;

function unpack(binary: Buffer, at: number): FileDescriptorProto | undefined {
  try {
    const raw = gunzipSync(binary.subarray(at, at + MAX_COMPRESSED), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MAX_DESCRIPTOR,
    });
    const nameLength = raw[1] ?? 0;
    const isDescriptor =
      raw[0] === 0x0a &&
      raw
        .subarray(2, 2 + nameLength)
        .toString()
        .endsWith('.proto');
    return isDescriptor ? fromBinary(FileDescriptorProtoSchema, raw) : undefined;
  } catch {
    return undefined;
  }
}

/** The schema of the package `name` (such as `runtime.v1`) that the binary at `path` serves; throws when it has none. */
export function readSchema(path: string, name: string): FileRegistry {
  const binary = readFileSync(path);
  for (let at = binary.indexOf(SIGNATURE); at >= 0; at = binary.indexOf(SIGNATURE, at + 1)) {
    const file = unpack(binary, at);
    if (file === undefined || file.package !== name || file.service.length === 0) continue;
    // The only import carries options for Go's code generator.
    file.dependency = [];
    return createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  }
  throw new Error(`${path} does not contain the schema ${name}`);
}
