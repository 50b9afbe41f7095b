/** Rules that recordings reach seldom or never: addresses, webhooks, schemas and what is printed of structs. */
import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../src/apimachinery/field.ts';
import { parseNetwork } from '../../src/apimachinery/networks.ts';
import { shownVersions, type VersionView, versionViews } from '../../src/resources/apiextensions/versions.ts';
import { viewErrors } from '../../src/resources/apiextensions/views.ts';
import { podSpec } from '../../src/resources/core/go-types/pod-spec.ts';
import { number, pointerTo, struct, text } from '../../src/resources/validation/go-struct.ts';
import { isStrictSubset, strictCidr, strictIp } from '../../src/resources/validation/networks.ts';
import { containerResourceName } from '../../src/resources/validation/resource-names.ts';
import { check } from '../../src/resources/validation/rules.ts';
import { webhookServiceErrors, webhookUrlErrors } from '../../src/resources/validation/webhooks.ts';

const bodies = (errors: readonly FieldError[]): string[] =>
  errors.map(({ body }) => body.replace(/^[^:]*: "[^"]*": /, ''));

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', []],
    ['fd00::/64', []],
    ['10.1.1.1/8', ['must not have bits set beyond the prefix length']],
    ['010.0.0.0/8', ['must not have leading 0s in IP or prefix length']],
    ['10.0.0.0/08', ['must not have leading 0s in IP or prefix length']],
    ['::ffff:10.0.0.0/120', ['must not have an IPv4-mapped IPv6 address']],
    ['10.0.0.0/33', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['10.0.0.0', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
  ])('%s', (network, problems) => {
    expect(bodies(check(strictCidr, network, 'at'))).toEqual(problems);
  });

  it.each([
    ['10.0.0.1', []],
    ['::1', []],
    ['1.2.3.04', ['must not have leading 0s']],
    ['::ffff:1.2.3.4', ['must not be an IPv4-mapped IPv6 address']],
    ['localhost', ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ])('%s', (address, problems) => {
    expect(bodies(check(strictIp, address, 'at'))).toEqual(problems);
  });

  it('knows what contains what', () => {
    const subset = (inner: string, outer: string): boolean => {
      const [a, b] = [parseNetwork(inner), parseNetwork(outer)];
      return a !== undefined && b !== undefined && isStrictSubset(a, b);
    };
    expect(subset('10.1.0.0/16', '10.0.0.0/8')).toBe(true);
    expect(subset('10.0.0.0/8', '10.0.0.0/8')).toBe(false);
    expect(subset('11.0.0.0/16', '10.0.0.0/8')).toBe(false);
    expect(subset('fd00:0:0:1::/64', 'fd00::/32')).toBe(true);
    expect(subset('10.0.0.0/16', '::/0')).toBe(false);
  });
});

describe('webhooks', () => {
  it.each([
    ['https://example.com/path', []],
    ['http://example.com', ["'https' is the only allowed URL scheme; desired format: https://host[/path]"]],
    ['https:///path', ['host must be specified; desired format: https://host[/path]']],
    ['https://user@example.com', ['user information is not permitted in the URL']],
    ['https://example.com?a=b', ['query parameters are not permitted in the URL']],
    ['https://example.com#a', ['fragments are not permitted in the URL']],
  ])('%s', (url, problems) => {
    expect(bodies(webhookUrlErrors(url, 'at'))).toEqual(problems);
  });

  it('points at what a Service lacks', () => {
    expect(webhookServiceErrors({ port: 443 }, 'at').map(({ field }) => field)).toEqual(['at.name', 'at.namespace']);
    const errors = webhookServiceErrors({ name: 'a', namespace: 'b', port: 443, path: '/a//b' }, 'at');
    expect(bodies(errors)).toEqual(['segment[1] may not be empty']);
  });
});

describe('names of resources', () => {
  it.each([
    ['cpu', 0],
    ['hugepages-2Mi', 0],
    ['example.com/gpu', 0],
    ['pods', 1],
    ['gpu', 2],
    ['requests.example.com/gpu', 1],
  ])('%s', (name, errors) => {
    expect(check(containerResourceName, name, 'at')).toHaveLength(errors);
  });
});

describe('structs', () => {
  it('are printed with their Go names and zero values', () => {
    const print = struct({ Name: text, NodeID: text, CEL: pointerTo(struct({ Expression: text })), Count: number });
    expect(print({ nodeID: 'n', cel: {} })).toEqual({ Name: '', NodeID: 'n', CEL: { Expression: '' }, Count: 0 });
    expect(print(undefined)).toEqual({ Name: '', NodeID: '', CEL: null, Count: 0 });
  });

  it('keep the namespaces of the host where upstream keeps them', () => {
    const shown = podSpec({ hostNetwork: true, dnsPolicy: 'Default', containers: [] }) as Record<string, unknown>;
    expect(shown).toMatchObject({ DNSPolicy: 'Default', SecurityContext: { HostNetwork: true, HostPID: false } });
    expect(podSpec({ containers: [] })).toMatchObject({ SecurityContext: { HostNetwork: false } });
  });
});

describe('schemas of custom resources', () => {
  const errorsOf = (schema: object): string[] => {
    const errors: FieldError[] = [];
    const [view] = versionViews([{ name: 'v1', schema: { openAPIV3Schema: schema } }]);
    viewErrors(view as VersionView, errors);
    return errors.map(({ field, body }) => `${field.replace('spec.validation.openAPIV3Schema', 's')}: ${body}`);
  };
  const within = (a: object): object => ({ type: 'object', properties: { a } });
  const keyed = (items: object, more: object = {}): object =>
    within({
      type: 'array',
      items,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      ...more,
    });

  const cases: [string, object, string[]][] = [
    [
      'a field without a type',
      within({}),
      ['s.properties[a].type: Required value: must not be empty for specified object fields'],
    ],
    ['a list without items', within({ type: 'array' }), ['s.properties[a].items: Required value: must be specified']],
    [
      'a type in a rule',
      { type: 'object', anyOf: [{ type: 'object' }] },
      ['s.anyOf[0].type: Forbidden: must be empty to be structural'],
    ],
    [
      'a number or a text',
      within({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }),
      [],
    ],
    [
      'a rule of a field that is not there',
      { type: 'object', not: { properties: { b: { minimum: 1 } } } },
      [
        's.properties[b]: Required value: because it is defined in s.not.properties[b]'.replace(
          'in s.',
          'in spec.validation.openAPIV3Schema.',
        ),
      ],
    ],
    [
      'more of the metadata',
      { type: 'object', properties: { metadata: { type: 'object', required: ['name'] } } },
      [
        's.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
      ],
    ],
    [
      'a pattern that is none',
      within({ type: 'string', pattern: '(' }),
      [
        's.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
      ],
    ],
    [
      'what is too costly',
      within({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
      [
        's.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ],
    ],
    ['a reference', { type: 'object', $ref: '#/x' }, ['s.$ref: Forbidden: $ref is not supported']],
    [
      'another dialect',
      { type: 'object', $schema: 'x' },
      ['s: Invalid value: "": OpenAPIV3Schema \'schema\' is not supported'],
    ],
    [
      'a nullable root',
      { type: 'object', nullable: true },
      ['s.nullable: Forbidden: nullable cannot be true at the root'],
    ],
    [
      'a set of maps',
      within({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' }),
      [
        's.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
      ],
    ],
    [
      'keys of nothing',
      keyed({ type: 'object', properties: {} }),
      [
        's.properties[a].x-kubernetes-list-map-keys: Invalid value: ["k"]: entries must all be names of item properties',
      ],
    ],
    [
      'a key that may be absent',
      keyed({ type: 'object', properties: { k: { type: 'string' } } }),
      [
        's.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ],
    ],
    [
      'a default of another type',
      within({ type: 'integer', default: 'x' }),
      ['s.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"'],
    ],
    [
      'a default that says too much',
      within({ type: 'object', default: { b: 1 } }),
      ['s.properties[a].default: Invalid value: {"b":1}: must not have unknown fields'],
    ],
    [
      'a default of what always is',
      { type: 'object', properties: { kind: { type: 'string', default: 'x' } } },
      ['s.properties[kind].default: Forbidden: must not be set in top-level kind'],
    ],
  ];
  it.each(cases)('refuse %s', (_, schema, messages) => {
    expect(errorsOf(schema)).toEqual(messages);
  });

  it('are found at the spec while all versions have the same', () => {
    const schema = { openAPIV3Schema: { type: 'object' } };
    const same = [
      { name: 'v1', schema },
      { name: 'v2', schema },
    ];
    expect(versionViews(same).map(({ schemaPath }) => schemaPath)).toEqual(['spec.validation', 'spec.validation']);
    expect(shownVersions(same)).toMatchObject([{ Schema: null }, { Schema: null }]);
    const different = [{ name: 'v1', schema }, { name: 'v2' }];
    expect(versionViews(different)[1]?.schemaPath).toBe('spec.versions[1].schema');
    expect(shownVersions(different)).toMatchObject([
      { Schema: { OpenAPIV3Schema: { Type: 'object' } } },
      { Schema: null },
    ]);
  });
});
