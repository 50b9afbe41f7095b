/** Objects in and out of JSON, YAML and protobuf. */
export { cannotHandle, type Decoded, decodeJson, strictErrors } from './json.ts';
export { decodeProtobuf, encodeProtobuf } from './protobuf.ts';
export { settle } from './settle.ts';
export { decodeYaml, encodeYaml, yamlDuplicates } from './yaml.ts';
