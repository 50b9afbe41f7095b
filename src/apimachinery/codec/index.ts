/** Objects in and out of JSON, YAML and protobuf. */
export { goObject } from './go-order.ts';
export { cannotHandle, type Decoded, decodeJson } from './json.ts';
export { decodeProtobuf, encodeProtobuf, encodeWatchEvent } from './protobuf.ts';
export { unrestorable } from './restore.ts';
export { settle } from './settle.ts';
export { duplicateFields, strictError } from './strict.ts';
export { decodeYaml, yamlDuplicates } from './yaml.ts';
export { encodeYaml } from './yaml-writer.ts';
