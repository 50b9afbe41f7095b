/** Which form an answer takes. */
import { describe, expect, it } from 'vitest';
import { parseAccept } from '../../src/api/accept.ts';
import {
  type Accepted,
  DOCUMENT,
  GROUP_DOCUMENT,
  listFormsOf,
  negotiate,
  negotiateStatus,
  negotiateWatch,
} from '../../src/api/negotiation.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const asking = (headers: Record<string, string>, query = ''): Request =>
  new Request(`https://x/api/v1/pods${query}`, { headers });

describe('Accept', () => {
  it.each<[string, Partial<Accepted>]>([
    ['', { format: 'json' }],
    ['*/*', { format: 'json' }],
    ['application/json', { format: 'json' }],
    ['application/yaml', { format: 'yaml' }],
    [`${PROTOBUF}, application/json`, { format: 'protobuf' }],
    [`application/json, ${PROTOBUF}`, { format: 'json' }],
    [`${PROTOBUF};q=0.5, application/json`, { format: 'json' }],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', { format: 'json' }],
    ['application/yaml;q=0.1, text/plain, application/json;q=0.2', { format: 'json' }],
    [`${TABLE},application/json`, { format: 'json', as: 'Table', metaVersion: 'meta.k8s.io/v1' }],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', { as: 'Table', metaVersion: 'meta.k8s.io/v1beta1' }],
    ['application/yaml;as=Table;v=v1;g=meta.k8s.io', { format: 'yaml', as: 'Table' }],
    ['application/json;as=Table;v=v2;g=meta.k8s.io, application/json', { format: 'json' }],
    [`${PROTOBUF};as=Table;v=v1;g=meta.k8s.io, application/yaml`, { format: 'yaml' }],
    [
      `${PROTOBUF};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`,
      { format: 'protobuf', as: 'PartialObjectMetadataList' },
    ],
    [`${PROTOBUF};as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io, */*`, { format: 'json' }],
    ['application/json;stream=watch', { format: 'json' }],
    ['application/json;pretty=1', { format: 'json', pretty: true }],
  ])('%j', (accept, expected) => {
    const { as, metaVersion, ...rest } = negotiate(asking(accept === '' ? {} : { accept }));
    const { as: wantedAs, metaVersion: _, ...wanted } = expected;
    expect(rest).toMatchObject(wanted);
    expect(as).toBe(wantedAs);
    if (expected.metaVersion !== undefined) expect(metaVersion).toBe(expected.metaVersion);
  });

  it.each([
    [
      'text/html',
      /^406: Not Acceptable\n\nAvailable representations: application\/json, application\/yaml, .*protobuf$/,
    ],
    ['application/*', /^406: Not Acceptable/],
    ['application/json;as=Foo;g=x;v=v1', /^only the following media types are accepted: application\/json, /],
    ['application/json;stream=other', /^only the following/],
  ])('%j is refused', (accept, message) => {
    expect(refusal(() => negotiate(asking({ accept })))).toMatch(message);
  });

  it('custom kinds have no protobuf', () => {
    const accept = `${PROTOBUF},application/json`;
    expect(negotiate(asking({ accept }), { custom: true }).format).toBe('json');
    expect(refusal(() => negotiate(asking({ accept: PROTOBUF }), { custom: true }))).toMatch(/^406/);
  });

  it('sorts by what is wanted most', () => {
    const types = parseAccept('*/*, a/*;q=0.9, a/b, c/d;q=0.95, *, a/c').map(({ type }) => type);
    expect(types).toEqual(['a/b', 'a/c', '*/*', '*/*', 'c/d', 'a/*']);
    expect(parseAccept('a, a/b/c, ,x/y;q=oops').map(({ type }) => type)).toEqual(['x/y']);
  });
});

describe('a watch', () => {
  it('has no YAML', () => {
    const message = refusal(() => negotiateWatch(asking({ accept: 'application/yaml' }), true));
    expect(message).toMatch(/application\/json;stream=watch, application\/vnd.kubernetes.protobuf;stream=watch$/);
  });

  it('is of protobuf where bookmarks tell whether the client is there, or nothing else will do', () => {
    const both = asking({ accept: `${PROTOBUF};stream=watch,application/json` });
    expect(negotiateWatch(both, true).format).toBe('protobuf');
    expect(negotiateWatch(both, false).format).toBe('json');
    expect(negotiateWatch(asking({ accept: PROTOBUF }), false).format).toBe('protobuf');
  });
});

describe('a failure', () => {
  it.each([
    [PROTOBUF, 'protobuf'],
    [`${TABLE},application/yaml`, 'yaml'],
    [TABLE, 'json'],
    ['text/html', 'json'],
    ['*/*', 'json'],
  ])('%s', (accept, format) => {
    expect(negotiateStatus(asking({ accept })).format).toBe(format);
  });
});

describe('pretty and gzip', () => {
  it.each<[string, string, boolean]>([
    ['?pretty=true', 'kubectl', true],
    ['?pretty=1', 'kubectl', true],
    ['?pretty', 'kubectl', false],
    ['?pretty=maybe', 'curl/8', false],
    ['?pretty=false', 'curl/8', false],
    ['', 'curl/8', true],
    ['', 'Mozilla/5.0 (X11)', true],
    ['?labelSelector=pretty', 'kubectl', false],
  ])('%s by %s', (query, agent, pretty) => {
    expect(negotiate(asking({ 'user-agent': agent }, query)).pretty).toBe(pretty);
  });

  it.each<[string, boolean]>([
    ['gzip', true],
    ['deflate, gzip', true],
    ['gzip;q=1.0', false],
    ['br', false],
  ])('%s', (encoding, gzip) => {
    expect(negotiate(asking({ 'accept-encoding': encoding })).gzip).toBe(gzip);
  });
});

describe('what is refused, by what is asked for', () => {
  const ONLY = 'only the following media types are accepted: ';
  it.each([
    ['a collection', listFormsOf({}), 'text/html', /protobuf, application\/json;stream=watch, .*;stream=watch$/],
    [
      'custom objects',
      listFormsOf({ custom: {} }),
      'text/html',
      new RegExp(`^${ONLY}application/json, application/yaml$`),
    ],
    ['a document', DOCUMENT, 'text/html', /^406: Not Acceptable/],
    ['a document as a Table', DOCUMENT, TABLE, new RegExp(`^${ONLY}`)],
    ['a document of a group', GROUP_DOCUMENT, 'text/html', new RegExp(`^${ONLY}`)],
  ])('%s', (_, subject, accept, said) => {
    expect(refusal(() => negotiate(asking({ accept }), subject))).toMatch(said);
  });
  it('documents are written as YAML', () => {
    expect(negotiate(asking({ accept: 'application/yaml' }), DOCUMENT).format).toBe('yaml');
  });
});

function refusal(ask: () => unknown): string {
  try {
    ask();
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 406) return error.status.message ?? '';
    throw error;
  }
  throw new Error('was not refused');
}
