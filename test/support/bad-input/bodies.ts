/** Bodies that are no object, not this object, or not a valid one. */
import { encodeProtobuf } from '../../../src/apimachinery/codec/index.ts';
import { type BadInput, CONFIG_MAPS, configMap, HERE, post } from './types.ts';

const BAD = { status: 400, reason: 'BadRequest' };
const INVALID = { status: 422, reason: 'Invalid' };
const LARGE = { status: 413, reason: 'RequestEntityTooLarge' };
const MEDIA = { status: 415, reason: 'UnsupportedMediaType' };

const YAML = 'application/yaml';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const TYPES = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const unrecognized = (why: string): RegExp =>
  new RegExp(`^the object provided is unrecognized \\(must be of type ConfigMap\\): ${why}`);
const cannot = (why: string, kind = 'ConfigMap', version = 'v1'): string =>
  `${kind} in version "${version}" cannot be handled as a ConfigMap: ${why}`;
const protobuf = (object: object): Uint8Array => encodeProtobuf(object as Parameters<typeof encodeProtobuf>[0]);
const many = (count: number): string => 'x'.repeat(count);
const raw = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const noObjects: BadInput[] = [
  {
    name: 'half a body',
    send: post('{"metadata": {'),
    ...BAD,
    message: unrecognized(`couldn't get version/kind; json parse error: .* \\(\\{"metadata": \\{\\)$`),
  },
  { name: 'no body', send: post(''), ...BAD, message: unrecognized('.* \\(<empty>\\)$') },
  { name: 'an array', send: post('[]'), ...BAD, message: unrecognized('.*cannot unmarshal array into .* \\(5b5d\\)$') },
  { name: 'a text', send: post('"x"'), ...BAD, message: unrecognized('.* \\(227822\\)$') },
  { name: 'a long nonsense', send: post(many(40)), ...BAD, message: unrecognized(`.* \\((?:78){30} \\.\\.\\.\\)$`) },
  { name: 'something behind the object', send: post('{} {}'), ...BAD, message: unrecognized('.*json parse error') },
  { name: 'bytes that are no UTF-8', send: post(raw('\xff\xfe{')), ...BAD, message: unrecognized('.* \\(fffe7b\\)$') },
  { name: 'arrays without end', send: post('['.repeat(100_000)), ...BAD, message: unrecognized('.*json parse error') },
  {
    name: 'objects without end',
    send: post(`{"metadata":{"managedFields":[{"fieldsV1":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}]}}`),
    ...BAD,
    message: /nested too deeply|json parse error/,
  },
  { name: 'null', send: post('null'), ...INVALID, fields: ['metadata.name'] },
  { name: 'an empty object', send: post({}), ...INVALID, fields: ['metadata.name'] },
  { name: 'bad YAML', send: post('metadata: [', YAML), ...BAD, message: unrecognized('error converting YAML to JSON') },
  { name: 'YAML that is a list', send: post('- 1', YAML), ...BAD, message: unrecognized('.*array') },
  { name: 'empty YAML', send: post('', YAML), ...INVALID, fields: ['metadata.name'] },
  { name: 'no protobuf', send: post('{}', PROTOBUF), ...BAD, message: unrecognized('.*protobuf') },
  { name: 'empty protobuf', send: post('', PROTOBUF), ...BAD, message: unrecognized('.*\\(<empty>\\)$') },
  { name: 'cut protobuf', send: post(raw('k8s\0\x0a\xff'), PROTOBUF), ...BAD, message: unrecognized('.*protobuf') },
  {
    name: 'protobuf of another kind',
    send: post(protobuf({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }), PROTOBUF),
    ...BAD,
    message: /^Secret in version "v1" cannot be handled as a ConfigMap: /,
  },
];

const otherKinds: BadInput[] = [
  {
    name: 'another kind',
    send: post({ ...configMap(), kind: 'Secret' }),
    ...BAD,
    message: /^Secret in version "v1" cannot be handled as a ConfigMap: /,
  },
  {
    name: 'no kind at all',
    send: post({ ...configMap(), kind: 'Nonsense' }),
    ...BAD,
    message: /^Nonsense in version "v1" .*no kind "Nonsense"/,
  },
  {
    name: 'another version',
    send: post({ ...configMap(), apiVersion: 'v2' }),
    ...BAD,
    message:
      /^ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2"/,
  },
  {
    name: 'a version of the kind that is not the path’s',
    send: post(
      { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' } },
      undefined,
      '/apis/autoscaling/v2/namespaces/bad/horizontalpodautoscalers',
    ),
    ...BAD,
    message: 'the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)',
  },
];

/** A value of the wrong type, and how Go says so. */
const MISMATCHES: [rest: object, why: string][] = [
  [{ data: 5 }, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string'],
  [{ data: { a: 5 } }, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
  [{ metadata: 'x' }, 'json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta'],
  [
    { metadata: { name: 'x', labels: { k: 5 } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
  ],
  [{ immutable: 'yes' }, 'json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool'],
  [{ binaryData: { a: '1' } }, 'illegal base64 data at input byte 0'],
];

const mismatches = MISMATCHES.map(
  ([rest, why]): BadInput => ({
    name: `the wrong type: ${JSON.stringify(rest)}`,
    send: post(configMap(undefined, rest)),
    ...BAD,
    message: cannot(why),
  }),
);

const STRICT = `${CONFIG_MAPS}?fieldValidation=Strict`;
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', emptyDir: {}, bogusField: 1 }] },
};
const strict: BadInput[] = [
  {
    name: 'an unknown field under Strict',
    send: post(POD, undefined, '/api/v1/namespaces/bad/pods?fieldValidation=Strict'),
    ...BAD,
    message:
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.volumes[0].bogusField"',
  },
  {
    name: 'duplicate fields under Strict',
    send: post('{"metadata":{"name":"d"},"data":{"a":"1","a":"2"},"data":{},"bogus":1}', undefined, STRICT),
    ...BAD,
    message: cannot('strict decoding error: duplicate field "data.a", duplicate field "data", unknown field "bogus"'),
  },
  {
    name: 'duplicate keys of YAML under Strict',
    send: post('metadata:\n  name: y\n  name: z\nbogus: 1\n', YAML, STRICT),
    ...BAD,
    message: cannot(
      'strict decoding error: yaml: unmarshal errors:\n  line 3: key "name" already set in map, unknown field "bogus"',
    ),
  },
  {
    name: 'an unknown field in an update under Strict',
    send: { method: 'PUT', path: `${HERE}?fieldValidation=Strict`, body: configMap({ name: 'here' }, { bogus: 1 }) },
    ...BAD,
    message: cannot('strict decoding error: unknown field "bogus"'),
  },
  {
    name: 'an unknown field in a patch under Strict',
    send: {
      method: 'PATCH',
      path: `${HERE}?fieldValidation=Strict`,
      body: { bogus: 1 },
      headers: { 'content-type': 'application/merge-patch+json' },
    },
    ...INVALID,
    message: /strict decoding error: unknown field "bogus"$/,
    fields: ['patch'],
  },
  {
    name: 'no such validation',
    send: post(configMap(), undefined, `${CONFIG_MAPS}?fieldValidation=strict`),
    ...INVALID,
    fields: ['fieldValidation'],
  },
  {
    name: 'no such dry run',
    send: post(configMap(), undefined, `${CONFIG_MAPS}?dryRun=Some`),
    ...INVALID,
    fields: ['dryRun'],
  },
];

const BIG_POD = {
  ...POD,
  spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: many(1_700_000) }] }] },
};
const sizes: BadInput[] = [
  {
    name: 'data of more than 1 MiB',
    send: post(configMap(undefined, { data: { a: many(1_100_000) } })),
    ...INVALID,
    message: /Too long: may not be more than 1048576 bytes$/,
  },
  {
    name: 'data of more than 1 MiB in few characters',
    send: post(configMap(undefined, { data: { a: 'ü'.repeat(600_000) } })),
    ...INVALID,
    message: /Too long/,
  },
  {
    name: 'annotations of more than 256 KiB',
    send: post(configMap({ name: 'a', annotations: { a: many(263_000) } })),
    ...INVALID,
    fields: ['metadata.annotations'],
  },
  {
    name: 'an object of more than 1.5 MB',
    send: post(BIG_POD, undefined, '/api/v1/namespaces/bad/pods'),
    ...LARGE,
    message: 'Request entity too large: limit is 1572864',
  },
  {
    name: 'a body of more than 3 MB',
    send: post(many(3_200_000)),
    ...LARGE,
    message: 'Request entity too large: limit is 3145728',
  },
  {
    name: 'a body of more than 3 MB that does not say how long it is',
    send: { ...post(many(3_200_000)), headers: { 'transfer-encoding': 'chunked' } },
    ...LARGE,
    message: 'Request entity too large: limit is 3145728',
  },
];

const media: BadInput[] = ['text/plain', 'application/cbor', 'nonsense'].map((type) => ({
  name: `a body of the type ${type}`,
  send: post(configMap(), type),
  ...MEDIA,
  message: `the body of the request was in an unknown format - accepted media types include: ${TYPES}`,
}));

export const badBodies: BadInput[] = [...noObjects, ...otherKinds, ...mismatches, ...strict, ...sizes, ...media];
