/** Hostile and mistaken requests: each gets upstream's status, reason and a message that says what is wrong, and changes nothing. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import https from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';

interface Case {
  name: string;
  method?: string;
  path: string;
  type?: string;
  accept?: string;
  /** Instead of the administrator's; `''`: none. */
  token?: string | (() => string);
  body?: string | object;
  status: number;
  reason?: string;
  message?: string | RegExp;
}

const PODS = '/api/v1/namespaces/default/pods';
const MAPS = '/api/v1/namespaces/default/configmaps';
const meta = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec });
const MERGE = 'application/merge-patch+json';
const NO_FORM = /^the body of the request was in an unknown format - accepted media types include: application\/json/;

let plane: ControlPlane;

const base64 = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const claims = (): Record<string, unknown> =>
  JSON.parse(Buffer.from(plane.token.split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>;
const header = (): Record<string, unknown> =>
  JSON.parse(Buffer.from(plane.token.split('.')[0] as string, 'base64url').toString()) as Record<string, unknown>;

/** A token that says what ours says, but for what is changed, signed with a key of nobody's. */
function forged(changed: Record<string, unknown> = {}, head: Record<string, unknown> = {}): string {
  const signed = `${base64({ ...header(), ...head })}.${base64({ ...claims(), ...changed })}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** Our own signature under other claims. */
const altered = (): string => {
  const [head, , signature] = plane.token.split('.');
  return `${head}.${base64({ ...claims(), sub: 'somebody' })}.${signature}`;
};

const hashed = (): string => {
  const signed = `${base64({ ...header(), alg: 'HS256' })}.${base64(claims())}`;
  return `${signed}.${createHmac('sha256', 'secret').update(signed).digest('base64url')}`;
};

const CASES: Case[] = [
  { name: 'a body that is no JSON', path: MAPS, body: '{"a":', status: 400, reason: 'BadRequest', message: /json/ },
  {
    name: 'a body that is a list',
    path: MAPS,
    body: '[]',
    status: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal array/,
  },
  { name: 'an empty body', path: MAPS, body: '', status: 400, reason: 'BadRequest' },
  {
    name: 'a number for a string',
    path: MAPS,
    body: { ...meta('x'), data: { a: 1 } },
    status: 400,
    reason: 'BadRequest',
    message:
      /^ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap\.data of type string$/,
  },
  {
    name: 'a string for a list',
    path: PODS,
    body: pod({ containers: 'x' }),
    status: 400,
    reason: 'BadRequest',
    message: /spec\.containers/,
  },
  {
    name: 'a kind that is not the path’s',
    path: MAPS,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
    status: 400,
    reason: 'BadRequest',
    message: /^Secret in version "v1" cannot be handled as a ConfigMap: .*unknown conversion$/,
  },
  {
    name: 'another API version',
    path: MAPS,
    body: { ...meta('x'), apiVersion: 'v2' },
    status: 400,
    reason: 'BadRequest',
    message: /no kind "ConfigMap" is registered for version "v2"/,
  },
  {
    name: 'an unknown field under Strict',
    path: `${PODS}?fieldValidation=Strict`,
    body: pod({ containers: [], bogus: 1 }),
    status: 400,
    reason: 'BadRequest',
    message: 'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.bogus"',
  },
  {
    name: 'a field that stands twice, under Strict',
    path: `${MAPS}?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}}',
    status: 400,
    reason: 'BadRequest',
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
  },
  {
    name: 'a key that stands twice in YAML',
    path: `${MAPS}?fieldValidation=Strict`,
    type: 'application/yaml',
    body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  name: z\n',
    status: 400,
    reason: 'BadRequest',
    message: /yaml: unmarshal errors:\n {2}line 5: key "name" already set in map$/,
  },
  {
    name: 'an unknown fieldValidation',
    path: `${MAPS}?fieldValidation=Some`,
    body: meta('x'),
    status: 422,
    reason: 'Invalid',
    message:
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Some": supported values: "", "Ignore", "Strict", "Warn"',
  },
  {
    name: 'an unknown dryRun',
    path: `${MAPS}?dryRun=Some`,
    body: meta('x'),
    status: 422,
    reason: 'Invalid',
    message: /dryRun: Unsupported value: \["Some"\]: supported values: "All"$/,
  },
  {
    name: 'an object of more than 1.5 MB',
    path: MAPS,
    body: { ...meta('x'), data: { a: 'x'.repeat(1_600_000) } },
    status: 422,
    reason: 'Invalid',
    message: /^ConfigMap "x" is invalid: : Too long: may not be more than 1048576 bytes$/,
  },
  {
    name: 'annotations of more than 256 kB',
    path: MAPS,
    body: { ...meta('x'), metadata: { name: 'x', annotations: { a: 'x'.repeat(300_000) } } },
    status: 422,
    reason: 'Invalid',
    message: /metadata\.annotations: Too long: may not be more than 262144 bytes/,
  },
  {
    name: 'a pod of more than 1.5 MB',
    path: PODS,
    body: pod({ containers: [{ name: 'c', image: 'i', args: ['x'.repeat(1_700_000)] }] }),
    status: 413,
    reason: 'RequestEntityTooLarge',
  },
  {
    name: 'a body of more than 3 MB',
    path: MAPS,
    body: { ...meta('x'), data: { a: 'x'.repeat(3_200_000) } },
    status: 413,
    reason: 'RequestEntityTooLarge',
    message: /limit is 3145728/,
  },
  { name: 'nesting without end', path: MAPS, body: '['.repeat(100_000), status: 400, reason: 'BadRequest' },
  {
    name: 'a name that is no DNS subdomain',
    path: MAPS,
    body: meta('Bad_Name'),
    status: 422,
    reason: 'Invalid',
    message:
      /^ConfigMap "Bad_Name" is invalid: metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of/,
  },
  {
    name: 'a namespace that is no DNS label',
    path: '/api/v1/namespaces',
    body: { metadata: { name: 'a.b' } },
    status: 422,
    reason: 'Invalid',
    message: /metadata\.name: Invalid value: "a\.b": a lowercase RFC 1123 label must consist of/,
  },
  {
    name: 'no name',
    path: MAPS,
    body: { apiVersion: 'v1', kind: 'ConfigMap' },
    status: 422,
    reason: 'Invalid',
    message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  },
  {
    name: 'another namespace than the path’s',
    path: MAPS,
    body: { ...meta('x'), metadata: { name: 'x', namespace: 'other' } },
    status: 400,
    reason: 'BadRequest',
    message: 'the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    name: 'a namespace that is not there',
    path: '/api/v1/namespaces/nowhere/configmaps',
    body: meta('x'),
    status: 404,
    reason: 'NotFound',
    message: 'namespaces "nowhere" not found',
  },
  {
    name: 'a name that is taken',
    path: MAPS,
    body: meta('there'),
    status: 409,
    reason: 'AlreadyExists',
    message: 'configmaps "there" already exists',
  },
  {
    name: 'a pod without containers',
    path: PODS,
    body: pod({}),
    status: 422,
    reason: 'Invalid',
    message: 'Pod "bad" is invalid: spec.containers: Required value',
  },
  {
    name: 'a port out of range',
    path: PODS,
    body: pod({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 70_000 }] }] }),
    status: 422,
    reason: 'Invalid',
    message:
      /spec\.containers\[0\]\.ports\[0\]\.containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive/,
  },
  {
    name: 'a quantity that is none',
    path: PODS,
    body: pod({ containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: 'lots' } } }] }),
    status: 400,
    reason: 'BadRequest',
    message: /quantities must match the regular expression/,
  },
  {
    name: 'an unknown resource',
    method: 'GET',
    path: '/api/v1/namespaces/default/things',
    status: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
  },
  {
    name: 'an unknown subresource',
    method: 'GET',
    path: `${MAPS}/there/things`,
    status: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
  },
  {
    name: 'an unknown object',
    method: 'GET',
    path: `${MAPS}/missing`,
    status: 404,
    reason: 'NotFound',
    message: 'configmaps "missing" not found',
  },
  {
    name: 'a method that is not served',
    method: 'PUT',
    path: MAPS,
    body: meta('x'),
    status: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  },
  {
    name: 'a stale resourceVersion',
    method: 'PUT',
    path: `${MAPS}/there`,
    body: { ...meta('there'), metadata: { name: 'there', resourceVersion: '999999' } },
    status: 409,
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "there": the object has been modified; please apply your changes to the latest version and try again',
  },
  {
    name: 'another name than the path’s',
    method: 'PUT',
    path: `${MAPS}/there`,
    body: meta('other'),
    status: 400,
    reason: 'BadRequest',
    message: 'the name of the object (other) does not match the name on the URL (there)',
  },
  {
    name: 'a uid that is not the object’s',
    method: 'DELETE',
    path: `${MAPS}/there`,
    body: { preconditions: { uid: 'wrong' } },
    status: 409,
    reason: 'Conflict',
    message: /the UID in the precondition \(wrong\) does not match the UID in record/,
  },
  {
    name: 'an unknown propagationPolicy',
    method: 'DELETE',
    path: `${MAPS}/there?propagationPolicy=Sideways`,
    status: 422,
    reason: 'Invalid',
    message: /propagationPolicy: Unsupported value: "Sideways"/,
  },
  {
    name: 'a patch that is no JSON',
    method: 'PATCH',
    path: `${MAPS}/there`,
    type: MERGE,
    body: '{',
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'a patch of an unknown type',
    method: 'PATCH',
    path: `${MAPS}/there`,
    type: 'application/json',
    body: {},
    status: 415,
    reason: 'UnsupportedMediaType',
    message: '415: Unsupported Media Type',
  },
  {
    name: 'a JSON patch whose test fails',
    method: 'PATCH',
    path: `${MAPS}/there`,
    type: 'application/json-patch+json',
    body: '[{"op":"test","path":"/data/a","value":"9"}]',
    status: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  },
  {
    name: 'a patch with the wrong type of value',
    method: 'PATCH',
    path: `${MAPS}/there`,
    type: MERGE,
    body: { data: [] },
    status: 422,
    reason: 'Invalid',
    message: /^ "" is invalid: patch: Invalid value: .*cannot unmarshal array/,
  },
  {
    name: 'an unknown form of body',
    path: MAPS,
    type: 'text/plain',
    body: 'x',
    status: 415,
    reason: 'UnsupportedMediaType',
    message: NO_FORM,
  },
  {
    name: 'protobuf that is none',
    path: MAPS,
    type: 'application/vnd.kubernetes.protobuf',
    body: 'k8s?',
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'an unknown form of answer',
    method: 'GET',
    path: MAPS,
    accept: 'text/html',
    status: 406,
    reason: 'NotAcceptable',
    message: /^406: Not Acceptable/,
  },
  {
    name: 'a label selector that does not parse',
    method: 'GET',
    path: `${MAPS}?labelSelector=a%3D%3D%3Db`,
    status: 400,
    reason: 'BadRequest',
    message: /^unable to parse requirement: found '=', expected: identifier/,
  },
  {
    name: 'a field that cannot be selected',
    method: 'GET',
    path: `${PODS}?fieldSelector=spec.foo%3Dx`,
    status: 400,
    reason: 'BadRequest',
    message: /field label not supported: spec\.foo/,
  },
  {
    name: 'a limit that is no number',
    method: 'GET',
    path: `${MAPS}?limit=few`,
    status: 400,
    reason: 'BadRequest',
    message: 'strconv.ParseInt: parsing "few": invalid syntax',
  },
  {
    name: 'a continue token that is none',
    method: 'GET',
    path: `${MAPS}?limit=1&continue=abc`,
    status: 400,
    reason: 'BadRequest',
    message: /continue key is not valid/,
  },
  {
    name: 'a resourceVersion that is no number',
    method: 'GET',
    path: `${MAPS}?resourceVersion=new`,
    status: 400,
    reason: 'BadRequest',
    message: /^invalid resource version: resourceVersion: Invalid value: "new"/,
  },
  {
    name: 'a resourceVersion that is still to come',
    method: 'GET',
    path: `${MAPS}?resourceVersion=999999999`,
    status: 504,
    reason: 'Timeout',
    message: /^Timeout: Too large resource version: 999999999, current: \d+$/,
  },
  {
    name: 'an unknown resourceVersionMatch',
    method: 'GET',
    path: `${MAPS}?resourceVersion=1&resourceVersionMatch=Maybe`,
    status: 422,
    reason: 'Invalid',
    message: /resourceVersionMatch: Unsupported value: "Maybe"/,
  },
  { name: 'a slash smuggled into a name', method: 'GET', path: `${MAPS}/a%2f..%2fb`, status: 404, reason: 'NotFound' },
  { name: 'a way out of the path', method: 'GET', path: '/openapi/v3/%2e%2e/%2e%2e/index', status: 404 },
  { name: 'a NUL in a name', method: 'GET', path: `${MAPS}/%00`, status: 404, reason: 'NotFound' },
  { name: 'an encoding that is none', method: 'GET', path: `${MAPS}/%zz`, status: 400 },
  { name: 'a very long name', method: 'GET', path: `${MAPS}/${'x'.repeat(5000)}`, status: 404, reason: 'NotFound' },
  {
    name: 'another cluster',
    method: 'GET',
    path: `/clusters/other${MAPS}`,
    status: 401,
    reason: 'Unauthorized',
    message: 'Unauthorized',
  },
  {
    name: 'no token',
    method: 'GET',
    path: MAPS,
    token: '',
    status: 403,
    reason: 'Forbidden',
    message:
      'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
  },
  {
    name: 'a token that is none',
    method: 'GET',
    path: MAPS,
    token: 'x',
    status: 401,
    reason: 'Unauthorized',
    message: 'Unauthorized',
  },
  {
    name: 'a token signed by a stranger',
    method: 'GET',
    path: MAPS,
    token: () => forged(),
    status: 401,
    reason: 'Unauthorized',
  },
  {
    name: 'a token that has expired',
    method: 'GET',
    path: MAPS,
    token: () => forged({ exp: 1 }),
    status: 401,
    reason: 'Unauthorized',
  },
  { name: 'a token with other claims', method: 'GET', path: MAPS, token: altered, status: 401, reason: 'Unauthorized' },
  {
    name: 'a token without a signature',
    method: 'GET',
    path: MAPS,
    token: () => `${base64({ alg: 'none' })}.${base64(claims())}.`,
    status: 401,
    reason: 'Unauthorized',
  },
  {
    name: 'a token signed with a public secret',
    method: 'GET',
    path: MAPS,
    token: hashed,
    status: 401,
    reason: 'Unauthorized',
  },
];

describe('bad input', () => {
  let before: string;
  const state = async (): Promise<string> => {
    const texts = await Promise.all(
      [MAPS, PODS, '/api/v1/namespaces'].map(
        async (path) => (await send({ name: '', method: 'GET', path, status: 200 })).text,
      ),
    );
    return texts.join('\n');
  };
  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'none', controllers: 'off' });
    const account = { metadata: { name: 'default' } };
    await send({ name: '', path: '/api/v1/namespaces/default/serviceaccounts', body: account, status: 201 });
    const made = await send({ name: '', path: MAPS, body: { ...meta('there'), data: { a: '1' } }, status: 201 });
    expect(made.status).toBe(201);
    before = await state();
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it.each(CASES)('$name', async (given) => {
    const { status, text } = await send(given);
    const body = text.startsWith('{') ? (JSON.parse(text) as { reason?: string; message?: string }) : { message: text };
    const { reason, message = /./ } = given;
    expect({ ...body, status }).toMatchObject({ status: given.status, ...(reason === undefined ? {} : { reason }) });
    if (typeof message === 'string') expect(body.message).toBe(message);
    else expect(body.message).toMatch(message);
    expect(await state()).toBe(before);
  });

  it('warns of unknown fields where it need not refuse them', async () => {
    const body = pod({ containers: [{ name: 'c', image: 'i' }], bogus: 1 });
    const ask = (validation: string) =>
      send({ name: '', path: `${PODS}?dryRun=All&fieldValidation=${validation}`, body, status: 201 });
    const warned = await ask('Warn');
    expect([warned.status, warned.warning]).toEqual([201, '299 - "unknown field \\"spec.bogus\\""']);
    const ignored = await ask('Ignore');
    expect([ignored.status, ignored.warning]).toEqual([201, undefined]);
    expect(await state()).toBe(before);
  });
});

function send({ method = 'POST', path, type = 'application/json', accept, token, body }: Case) {
  const credential = typeof token === 'function' ? token() : (token ?? plane.token);
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const { hostname, port } = new URL(plane.server);
  return new Promise<{ status: number; text: string; warning: string | undefined }>((resolve, reject) => {
    const headers = {
      ...(credential === '' ? {} : { authorization: `Bearer ${credential}` }),
      ...(accept === undefined ? {} : { accept }),
      ...(payload === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
    };
    const request = https.request({ hostname, port, method, path, headers, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => {
        const warning = response.headers['warning'] as string | undefined;
        resolve({ status: response.statusCode ?? 0, text, warning });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}
