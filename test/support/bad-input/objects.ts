/** Objects and options that are read well and still refused: names, namespaces, versions, preconditions. */
import type { Sent } from '../https.ts';
import { type BadInput, CONFIG_MAPS, configMap, HERE, post } from './types.ts';

const BAD = { status: 400, reason: 'BadRequest' };
const INVALID = { status: 422, reason: 'Invalid' };
const CONFLICT = { status: 409, reason: 'Conflict' };

const NAMES: [name: string, path: string, kind: string][] = [
  ...['Bad_Name', '-x', 'x.', '..', 'a/b', 'ü', 'a\u0000b', 'x'.repeat(254)].map((name): [string, string, string] => [
    name,
    CONFIG_MAPS,
    'ConfigMap',
  ]),
  ['a.b', '/api/v1/namespaces', 'Namespace'],
  ['x'.repeat(64), '/api/v1/namespaces/bad/services', 'Service'],
  ['-1a', '/api/v1/namespaces/bad/services', 'Service'],
];

const names = NAMES.map(
  ([name, path, kind]): BadInput => ({
    name: `the name ${JSON.stringify(name.slice(0, 20))} of a ${kind}`,
    send: post(
      kind === 'Service' ? { metadata: { name }, spec: { ports: [{ port: 80 }] } } : { metadata: { name } },
      undefined,
      path,
    ),
    ...INVALID,
    message: new RegExp(`^${kind} ".*" is invalid: metadata\\.name: Invalid value`),
    fields: ['metadata.name'],
  }),
);

const creates: BadInput[] = [
  {
    name: 'no name',
    send: post(configMap({})),
    ...INVALID,
    message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    fields: ['metadata.name'],
  },
  {
    name: 'another namespace than the path’s',
    send: post(configMap({ name: 'x', namespace: 'other' })),
    ...BAD,
    message: 'the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    name: 'a namespace that is not there',
    send: post(configMap(), undefined, '/api/v1/namespaces/none/configmaps'),
    status: 404,
    reason: 'NotFound',
    message: 'namespaces "none" not found',
  },
  {
    name: 'a resourceVersion on a new object',
    send: post(configMap({ name: 'x', resourceVersion: '5' })),
    status: 500,
    message: 'resourceVersion should not be set on objects to be created',
  },
  {
    name: 'a name that is taken',
    send: post(configMap({ name: 'here' })),
    status: 409,
    reason: 'AlreadyExists',
    message: 'configmaps "here" already exists',
  },
  {
    name: 'labels that are none',
    send: post(configMap({ name: 'x', labels: { 'a/b/c': 'd', k: 'x y' } })),
    ...INVALID,
    fields: ['metadata.labels', 'metadata.labels'],
  },
  {
    name: 'a finalizer without a domain',
    send: post(configMap({ name: 'x', finalizers: ['hold'] })),
    ...INVALID,
    fields: ['metadata.finalizers[0]'],
  },
];

const pod = (spec: object): Sent => post({ metadata: { name: 'p' }, spec }, undefined, '/api/v1/namespaces/bad/pods');
const container = (rest: object): Sent => pod({ containers: [{ name: 'c', image: 'i', ...rest }] });

const pods: BadInput[] = [
  {
    name: 'a pod without containers',
    send: pod({}),
    ...INVALID,
    message: 'Pod "p" is invalid: spec.containers: Required value',
    fields: ['spec.containers'],
  },
  {
    name: 'a port out of range',
    send: container({ ports: [{ containerPort: 70_000 }] }),
    ...INVALID,
    message: /Invalid value: 70000: must be between 1 and 65535, inclusive$/,
    fields: ['spec.containers[0].ports[0].containerPort'],
  },
  {
    name: 'a quantity that is none',
    send: container({ resources: { limits: { cpu: 'lots' } } }),
    ...BAD,
    message: /^Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression/,
  },
];

const put = (metadata: object, path = HERE): Sent => ({ method: 'PUT', path, body: configMap(metadata) });
const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

const updates: BadInput[] = [
  {
    name: 'a stale resourceVersion',
    send: ({ resourceVersion }) => put({ name: 'here', resourceVersion: `1${resourceVersion}` }),
    ...CONFLICT,
    message: `Operation cannot be fulfilled on configmaps "here": ${MODIFIED}`,
  },
  {
    name: 'another uid',
    send: put({ name: 'here', uid: 'other' }),
    ...CONFLICT,
    message: /Precondition failed: UID in precondition: other, UID in object meta: /,
  },
  {
    name: 'another name than the path’s',
    send: put({ name: 'there' }),
    ...BAD,
    message: 'the name of the object (there) does not match the name on the URL (here)',
  },
  {
    name: 'an update without a name',
    send: put({}),
    ...BAD,
    message: 'the name of the object (here based on URL) was undeterminable: name must be provided',
  },
  {
    name: 'an update into another namespace',
    send: put({ name: 'here', namespace: 'default' }),
    ...BAD,
    message: /^the namespace of the provided object does not match/,
  },
  {
    name: 'an update of what is not there',
    send: put({ name: 'none' }, `${CONFIG_MAPS}/none`),
    status: 404,
    reason: 'NotFound',
    message: 'configmaps "none" not found',
  },
];

const patch = (body: string, type: string): Sent => ({
  method: 'PATCH',
  path: HERE,
  body,
  headers: { 'content-type': type },
});
const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

const patches: BadInput[] = [
  { name: 'a patch that is no JSON', send: patch('{', MERGE), ...BAD, message: /^error decoding patch: / },
  { name: 'a merge patch in YAML', send: patch('data: {a: b}', MERGE), ...BAD, message: /^error decoding patch: / },
  { name: 'a merge patch that is a list', send: patch('[]', MERGE), ...BAD, message: /cannot unmarshal array/ },
  { name: 'a JSON patch that is an object', send: patch('{}', JSON_PATCH), ...BAD, message: /cannot unmarshal object/ },
  { name: 'an operation that is none', send: patch('[{"op":"nope","path":"/a"}]', JSON_PATCH), ...INVALID },
  { name: 'a test that fails', send: patch('[{"op":"test","path":"/data/a","value":"9"}]', JSON_PATCH), ...INVALID },
  { name: 'a patch to the wrong type', send: patch('{"data":5}', MERGE), ...INVALID, fields: ['patch'] },
  {
    name: 'a patch of the uid',
    send: patch('{"metadata":{"uid":"x"}}', MERGE),
    ...INVALID,
    fields: ['metadata.uid', 'metadata.uid'],
  },
  {
    name: 'a patch of the name',
    send: patch('{"metadata":{"name":"x"}}', MERGE),
    ...BAD,
    message: 'the name of the object (x) does not match the name on the URL (here)',
  },
  {
    name: 'a patch with a stale resourceVersion',
    send: patch('{"metadata":{"resourceVersion":"999"}}', MERGE),
    ...CONFLICT,
    message: new RegExp(MODIFIED),
  },
  { name: 'a patch of no known kind', send: patch('{}', 'text/plain'), status: 415, reason: 'UnsupportedMediaType' },
  {
    name: 'a patch of more than 3 MB',
    send: patch(JSON.stringify({ data: { a: 'x'.repeat(3_200_000) } }), MERGE),
    status: 413,
    reason: 'RequestEntityTooLarge',
  },
];

const remove = (body?: string | object, query = ''): Sent => ({
  method: 'DELETE',
  path: HERE + query,
  ...(body === undefined ? {} : { body }),
});

const deletions: BadInput[] = [
  {
    name: 'a uid precondition',
    send: remove({ preconditions: { uid: 'wrong' } }),
    ...CONFLICT,
    message: /the UID in the precondition \(wrong\) does not match the UID in record/,
  },
  {
    name: 'a resourceVersion precondition',
    send: ({ resourceVersion }) => remove({ preconditions: { resourceVersion: `1${resourceVersion}` } }),
    ...CONFLICT,
    message: /the ResourceVersion in the precondition/,
  },
  {
    name: 'a propagation that is none',
    send: remove({ propagationPolicy: 'Sideways' }),
    ...INVALID,
    fields: ['propagationPolicy'],
  },
  {
    name: 'two ways of propagation',
    send: remove({ orphanDependents: true, propagationPolicy: 'Orphan' }),
    ...INVALID,
    fields: ['propagationPolicy'],
  },
  {
    name: 'options that are no JSON',
    send: remove('{'),
    ...BAD,
    message: /^the object provided is unrecognized \(must be of type DeleteOptions\): /,
  },
  {
    name: 'options of the wrong type',
    send: remove({ gracePeriodSeconds: 'x' }),
    ...BAD,
    message: /DeleteOptions\.gracePeriodSeconds of type int64$/,
  },
  {
    name: 'options that are something else',
    send: remove(configMap()),
    ...BAD,
    message: /^no kind "ConfigMap" is registered for version "v1"/,
  },
  {
    name: 'a grace that is no number',
    send: remove(undefined, '?gracePeriodSeconds=x'),
    ...BAD,
    message: 'strconv.ParseInt: parsing "x": invalid syntax',
  },
  { name: 'a dry run that is none', send: remove(undefined, '?dryRun=Some'), ...INVALID, fields: ['dryRun'] },
  {
    name: 'a collection by a bad selector',
    send: { method: 'DELETE', path: `${CONFIG_MAPS}?labelSelector=a%20in%20(` },
    ...BAD,
    message: /^unable to parse requirement: /,
  },
];

export const badObjects: BadInput[] = [...names, ...creates, ...pods, ...updates, ...patches, ...deletions];
