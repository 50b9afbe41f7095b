/** Paths, methods, queries and headers that mean nothing. */
import { type BadInput, CONFIG_MAPS, HERE } from './types.ts';

const BAD = { status: 400, reason: 'BadRequest' };
const INVALID = { status: 422, reason: 'Invalid' };
const NOT_FOUND = { status: 404, reason: 'NotFound', message: 'the server could not find the requested resource' };
const NOT_ALLOWED = {
  status: 405,
  reason: 'MethodNotAllowed',
  message: 'the server does not allow this method on the requested resource',
};

/** A Status where upstream's API router is asked, plain text elsewhere. */
const NOWHERE: [path: string, answer: 'status' | 'text'][] = [
  ['/api/v1/nothings', 'status'],
  ['/api/v2/pods', 'status'],
  ['/apis/apps/v9/deployments', 'status'],
  ['/apis/nope.example/v1/things', 'text'],
  ['/nothing', 'text'],
  ['/API/v1/pods', 'text'],
  ['//api/v1/pods', 'text'],
  ['/api//v1/pods', 'status'],
  ['/api/v1/namespaces/bad//configmaps', 'status'],
  ['/api/v1/namespaces/bad/nodes', 'status'],
  ['/api/v1/configmaps/here', 'status'],
  [`${HERE}/status`, 'status'],
  ['/api/v1/namespaces/bad/pods/x/unknown', 'status'],
  [`${CONFIG_MAPS};a=b`, 'status'],
  [`${CONFIG_MAPS}/a%2fb`, 'status'],
  ['/api/v1/namespaces/bad%2fconfigmaps/configmaps', 'status'],
  [`${CONFIG_MAPS}/..`, 'status'],
  [`${CONFIG_MAPS}/%2e%2E`, 'status'],
  [`${CONFIG_MAPS}/../configmaps/here`, 'status'],
  [`${CONFIG_MAPS}/./here`, 'status'],
  [`/api/v1/namespaces/${'x/'.repeat(500)}`, 'status'],
  [`/${'x'.repeat(20_000)}`, 'text'],
  ['/openapi/v3/%2e%2e/%2e%2e/worker.js', 'status'],
  ['/clusters/Bad_Cluster/api/v1/pods', 'status'],
  ['/clusters/', 'status'],
  ['/zeroplane/v1/nothing', 'status'],
];

const paths: BadInput[] = NOWHERE.map(([path, answer]) => ({
  name: `GET ${path.slice(0, 80)}`,
  send: { path },
  ...(answer === 'status' ? NOT_FOUND : { status: 404, message: '404 page not found\n' }),
}));

const names: BadInput[] = [
  {
    name: 'NUL for a name',
    send: { path: `${CONFIG_MAPS}/%00` },
    status: 404,
    reason: 'NotFound',
    message: 'configmaps "\u0000" not found',
  },
  { name: 'a very long name', send: { path: `${CONFIG_MAPS}/${'x'.repeat(5000)}` }, status: 404, reason: 'NotFound' },
  {
    name: 'a percent sign for a name',
    send: { path: `${CONFIG_MAPS}/%25` },
    ...BAD,
    message: `Name parameter invalid: "%": may not contain '%'`,
  },
  { name: 'an escape that is none', send: { path: `${CONFIG_MAPS}/%zz` }, ...BAD, message: /invalid escape/ },
  { name: 'deletion of a path with dots in it', send: { method: 'DELETE', path: `${CONFIG_MAPS}/..` }, ...NOT_FOUND },
];

const METHODS: [method: string, path: string][] = [
  ['POST', HERE],
  ['PUT', CONFIG_MAPS],
  ['PATCH', CONFIG_MAPS],
  ['OPTIONS', CONFIG_MAPS],
  ['TRACE', CONFIG_MAPS],
  ['POST', '/api/v1/configmaps'],
  ['DELETE', '/api/v1/namespaces'],
  ['DELETE', '/api/v1/services'],
  ['POST', '/api/v1/namespaces/bad/pods/x/status'],
  ['DELETE', '/api/v1/namespaces/bad/pods/x/log'],
  ['GET', '/apis/authentication.k8s.io/v1/tokenreviews'],
  ['POST', '/version'],
  ['DELETE', '/apis/apps/v1'],
];

const methods: BadInput[] = METHODS.map(([method, path]) => ({
  name: `${method} ${path}`,
  send: { method, path, ...(method === 'POST' || method === 'PUT' ? { body: {} } : {}) },
  ...NOT_ALLOWED,
}));

const PARSE_INT = (text: string, why = 'invalid syntax') => `strconv.ParseInt: parsing "${text}": ${why}`;
const BIG = '9'.repeat(30);

const QUERIES: [query: string, answer: Pick<BadInput, 'status' | 'reason' | 'message' | 'fields'>][] = [
  ['limit=x', { ...BAD, message: PARSE_INT('x') }],
  ['limit=1.5', { ...BAD, message: PARSE_INT('1.5') }],
  [`limit=${BIG}`, { ...BAD, message: PARSE_INT(BIG, 'value out of range') }],
  ['timeoutSeconds=x', { ...BAD, message: PARSE_INT('x') }],
  ['timeoutSeconds=', { ...BAD, message: PARSE_INT('') }],
  // What cannot be read comes before what does not go together.
  ['limit=&resourceVersionMatch=Exact&labelSelector=a%3D%3D%3Db', { ...BAD, message: PARSE_INT('') }],
  ['continue=garbage', { ...BAD, message: /^invalid continue token: continue key is not valid: / }],
  [
    'continue=ab%00',
    { ...BAD, message: 'invalid continue token: continue key is not valid: illegal base64 data at input byte 2' },
  ],
  ['continue=e30', { ...BAD, message: /^invalid continue token: / }],
  ['labelSelector=a%20in%20(', { ...BAD, message: /^unable to parse requirement: / }],
  ['labelSelector=a%3D%3D%3Db', { ...BAD, message: "unable to parse requirement: found '=', expected: identifier" }],
  ['labelSelector=%2Fx', { ...BAD, message: /^unable to parse requirement: .*prefix part must be non-empty$/ }],
  ['labelSelector=a%3D%C3%BC', { ...BAD, message: /values\[0\]\[a\]: Invalid value: "ü"/ }],
  [
    'fieldSelector=spec.x%3D1',
    { ...BAD, message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"' },
  ],
  [
    'fieldSelector=metadata.name',
    { ...BAD, message: "invalid selector: 'metadata.name'; can't understand 'metadata.name'" },
  ],
  ...['abc', '-1', '1.5'].map((text): [string, typeof BAD & { message: string }] => [
    `resourceVersion=${text}`,
    {
      ...BAD,
      message: `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    },
  ]),
  [`resourceVersion=${BIG}`, { ...BAD, message: /value out of range$/ }],
  [
    'resourceVersion=99999999999',
    { status: 504, reason: 'Timeout', message: /^Timeout: Too large resource version: 99999999999, current: \d+$/ },
  ],
  ['resourceVersionMatch=Exact', { ...INVALID, fields: ['resourceVersionMatch'] }],
  ['resourceVersion=1&resourceVersionMatch=Maybe', { ...INVALID, fields: ['resourceVersionMatch'] }],
  ['sendInitialEvents=true', { ...INVALID, fields: ['sendInitialEvents'] }],
  ['watch=1&resourceVersion=abc', { status: 500, message: /^resourceVersion: Invalid value: "abc"/ }],
  ['watch=1&sendInitialEvents=true', { ...INVALID, fields: ['resourceVersionMatch'] }],
  [
    'watch=1&resourceVersionMatch=Exact&resourceVersion=1',
    { ...INVALID, fields: ['resourceVersionMatch', 'resourceVersionMatch'] },
  ],
  ['watch=1&labelSelector=a%20in%20(', { ...BAD, message: /^unable to parse requirement: / }],
  ['watch=1&timeoutSeconds=x', { ...BAD, message: PARSE_INT('x') }],
];

const queries: BadInput[] = [
  ...QUERIES.map(
    ([query, answer]): BadInput => ({
      name: `?${query.slice(0, 80)}`,
      send: { path: `${CONFIG_MAPS}?${query}` },
      ...answer,
    }),
  ),
  {
    name: 'a continue token with a resourceVersion',
    send: ({ next }) => ({ path: `${CONFIG_MAPS}?limit=1&resourceVersion=1&continue=${next}` }),
    ...BAD,
    message: 'specifying resource version is not allowed when using continue',
  },
  {
    name: 'a watch with a very long selector',
    send: { path: `${CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3D${'x'.repeat(20_000)}` },
    status: 413,
    reason: 'RequestEntityTooLarge',
  },
  {
    name: 'a get from the future',
    send: { path: `${HERE}?resourceVersion=99999999999` },
    status: 504,
    reason: 'Timeout',
  },
];

const ALL_TYPES = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
const ACCEPTS: [accept: string, message: string][] = [
  ['text/html', `406: Not Acceptable\n\nAvailable representations: ${ALL_TYPES}`],
  ['nonsense', `406: Not Acceptable\n\nAvailable representations: ${ALL_TYPES}`],
  ['application/json;as=Foo;g=x;v=v1', `only the following media types are accepted: ${ALL_TYPES}`],
];

const accepts: BadInput[] = ACCEPTS.map(([accept, message]) => ({
  name: `Accept: ${accept}`,
  send: { path: HERE, headers: { accept } },
  status: 406,
  reason: 'NotAcceptable',
  message,
}));

export const badRequests: BadInput[] = [...paths, ...names, ...methods, ...queries, ...accepts];
