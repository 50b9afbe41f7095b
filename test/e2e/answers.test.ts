/** The forms of answers over the wire: protobuf, YAML, Tables of old clients, compressed ones, indented ones, documents with ETags. */
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { decodeProtobuf } from '../../src/apimachinery/codec/index.ts';
import { numberOf, Reader, Writer } from '../../src/apimachinery/codec/wire.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { type Answered, client, type Send } from '../support/https.ts';
import { decodeSwagger } from '../support/swagger-decoder.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const FIRST = `${PROTOBUF},application/json`;
const METADATA = (as: string): string => `${PROTOBUF};as=${as};g=meta.k8s.io;v=v1`;
const PATH = '/api/v1/namespaces/default/configmaps';

let plane: ControlPlane;
let send: Send;
const get = (path: string, headers: Record<string, string> = {}): Promise<Answered> => send({ path, headers });

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none', controllers: 'off' });
  send = client(plane);
  for (const name of ['a', 'b', 'c']) {
    const body = { metadata: { name, labels: { name } }, data: { text: name.repeat(60_000) } };
    await send({ method: 'POST', path: PATH, body });
  }
});
afterAll(async () => {
  await plane?.stop();
});

describe('options of a delete', () => {
  it.each(['v1', 'apps/v1', 'meta.k8s.io/v1', 'example.com/v3'])('may be of version %s', async (apiVersion) => {
    await send({ method: 'POST', path: PATH, body: { metadata: { name: 'gone' } } });
    const body = { kind: 'DeleteOptions', apiVersion, preconditions: { uid: 'another' } };
    const gone = (options: object) => send({ method: 'DELETE', path: `${PATH}/gone`, body: options });
    expect((await gone(body)).body.reason).toBe('Conflict');
    expect((await gone({ ...body, preconditions: {} })).status).toBe(200);
  });

  it('may be of any version in protobuf', async () => {
    await send({ method: 'POST', path: PATH, body: { metadata: { name: 'gone' } } });
    const envelope = new Writer();
    envelope.raw(Buffer.from('k8s\0'));
    envelope.nested(1, () => {
      envelope.text(1, 'apps/v1');
      envelope.text(2, 'DeleteOptions');
    });
    const headers = { 'content-type': PROTOBUF };
    const answer = await send({ method: 'DELETE', path: `${PATH}/gone`, body: envelope.finish(), headers });
    expect(answer.status).toBe(200);
  });
});

describe('protobuf', () => {
  it('of one object and of a list is the same as JSON', async () => {
    for (const path of [`${PATH}/a`, PATH]) {
      const { body } = await get(path);
      const answer = await get(path, { accept: FIRST });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, PROTOBUF]);
      expect(decodeProtobuf(answer.bytes).object).toEqual(body);
    }
  });

  it('of what is made and changed', async () => {
    const headers = { accept: FIRST };
    const made = await send({ method: 'POST', path: PATH, headers, body: { metadata: { name: 'made' } } });
    expect(decodeProtobuf(made.bytes)).toMatchObject({ kind: 'ConfigMap', object: { metadata: { name: 'made' } } });
    const gone = await send({ method: 'DELETE', path: `${PATH}/made`, headers });
    expect(decodeProtobuf(gone.bytes)).toMatchObject({ kind: 'Status', object: { status: 'Success' } });
  });

  it('of a failure is a Status', async () => {
    const answer = await get(`${PATH}/nope`, { accept: PROTOBUF });
    expect([answer.status, answer.headers['content-type']]).toEqual([404, PROTOBUF]);
    expect(decodeProtobuf(answer.bytes).object).toMatchObject({ kind: 'Status', reason: 'NotFound', code: 404 });
  });

  it('of metadata alone', async () => {
    const list = await get(PATH, { accept: METADATA('PartialObjectMetadataList') });
    const { object } = decodeProtobuf(list.bytes);
    expect(object).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    const names = (object['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['a', 'b', 'c']);
    const wrong = await get(`${PATH}/a`, { accept: METADATA('PartialObjectMetadataList') });
    expect(wrong.body).toMatchObject({
      code: 406,
      message: 'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
    });
  });

  it.each([FIRST, `${METADATA('PartialObjectMetadata')},application/json`])('of a watch: %s', async (accept) => {
    const query = 'watch=1&timeoutSeconds=3&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const answer = await get(`${PATH}?${query}&allowWatchBookmarks=true`, { accept });
    expect(answer.headers['content-type']).toBe(`${PROTOBUF};stream=watch`);
    const events = frames(answer.bytes);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'ADDED', 'BOOKMARK']);
    const [first, , , last] = events.map(({ object }) => object);
    expect(first).toMatchObject({ metadata: { name: 'a', labels: { name: 'a' } } });
    expect(first?.['data'] === undefined).toBe(accept !== FIRST);
    expect(last).toMatchObject({ metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } });
    expect(last?.['kind']).toBe(first?.['kind']);
  });
});

interface Frame {
  type: string;
  object: JsonObject;
}

/** Watch events, each behind its length in four bytes. */
function frames(bytes: Buffer): Frame[] {
  const found: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    found.push(eventOf(new Reader(bytes, at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return found;
}

function eventOf(reader: Reader): Frame {
  const event: Frame = { type: '', object: {} };
  while (!reader.done) {
    if (numberOf(reader.tag()) === 1) event.type = reader.text();
    else {
      const raw = reader.nested();
      raw.tag();
      event.object = decodeProtobuf(raw.slice()).object;
    }
  }
  return event;
}

describe('a large answer', () => {
  const headers = { 'accept-encoding': 'gzip' };
  it('is compressed for who wants it', async () => {
    const plain = await get(PATH);
    expect(plain.headers['content-encoding']).toBeUndefined();
    const answer = await get(PATH, headers);
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(answer.bytes.length).toBeLessThan(plain.bytes.length / 20);
    expect(gunzipSync(answer.bytes).equals(plain.bytes)).toBe(true);
  });

  it('a small one is not, nor is a watch', async () => {
    expect((await get(`${PATH}/a`, headers)).headers['content-encoding']).toBeUndefined();
    const watch = await get(`${PATH}?watch=1&timeoutSeconds=3`, headers);
    expect(watch.headers['content-encoding']).not.toBe('gzip');
    expect(watch.text.trim().split('\n')).toHaveLength(3);
  });
});

describe('for people', () => {
  it('JSON is indented', async () => {
    expect((await get(`${PATH}/a?pretty=true`)).text).toMatch(/^\{\n {2}"kind": "ConfigMap",\n/);
    expect((await get(`${PATH}/nope`, { 'user-agent': 'curl/8.5.0' })).text).toMatch(/^\{\n {2}"kind": "Status",\n/);
    expect((await get(`${PATH}/nope`)).text).toMatch(/^\{"kind":"Status",.*\}\n$/);
  });

  it('YAML is laid out as everywhere', async () => {
    const { text, headers } = await get(`${PATH}?limit=1`, { accept: 'application/yaml' });
    expect(headers['content-type']).toBe('application/yaml');
    expect(text).toMatch(/^apiVersion: v1\nitems:\n- data:\n {4}text: a/);
    expect(text).toMatch(/\n {4}creationTimestamp: "\d{4}-/);
  });

  it('a Table may be of the old version', async () => {
    const { body } = await get(`${PATH}/a`, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1beta1' });
    expect(body).toMatchObject({
      apiVersion: 'meta.k8s.io/v1beta1',
      rows: [{ object: { apiVersion: 'meta.k8s.io/v1beta1' } }],
    });
  });

  it('bookmarks of a watch are Tables too', async () => {
    const query = 'watch=1&timeoutSeconds=3&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const { text } = await get(`${PATH}?${query}&allowWatchBookmarks=true`, { accept });
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: JsonObject });
    expect(events.map(({ type, object }) => [type, object['kind'], object['columnDefinitions'] === null])).toEqual([
      ['ADDED', 'Table', false],
      ['ADDED', 'Table', true],
      ['ADDED', 'Table', true],
      ['BOOKMARK', 'Table', true],
    ]);
  });
});

describe('OpenAPI', () => {
  const V2 = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  it('v2 is JSON or protobuf, as it is asked for', async () => {
    const json = await get('/openapi/v2');
    const protobuf = await get('/openapi/v2', { accept: V2 });
    expect(protobuf.headers['content-type']).toBe(V2.replace('@', '.'));
    expect(decodeSwagger(protobuf.bytes)).toEqual(json.body);
    expect((await get('/openapi/v2', { accept: 'text/html' })).status).toBe(406);
    const { headers } = await get('/openapi/v2', { accept: V2, 'accept-encoding': 'gzip' });
    expect(headers['content-encoding']).toBe('gzip');
  });

  it.each(['/openapi/v2', '/openapi/v3', '/openapi/v3/api/v1'])('%s is not sent twice', async (path) => {
    const etag = String((await get(path)).headers['etag']);
    expect(etag).toMatch(/^"[0-9A-F]{128}"$/);
    const again = await get(path, { 'if-none-match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await get(path, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('v3 by its hash may be kept, and by an old hash is somewhere else', async () => {
    const index = await get('/openapi/v3');
    const paths = index.body['paths'] as Record<string, { serverRelativeURL: string }>;
    const path = paths['apis/apps/v1']?.serverRelativeURL ?? '';
    expect((await get(path)).headers['cache-control']).toBe('public, immutable');
    const old = await get('/openapi/v3/apis/apps/v1?hash=OLD');
    expect([old.status, old.headers['location']]).toEqual([301, path]);
    expect((await get('/openapi/v3/apis/nope/v1')).status).toBe(404);
  });
});
