/** Kubernetes' protobuf, there and back. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeProtobuf, encodeProtobuf } from '../../src/apimachinery/codec/index.ts';
import { Reader, Writer } from '../../src/apimachinery/codec/wire.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';

const there = (object: JsonObject): JsonObject => decodeProtobuf(encodeProtobuf(object)).object;

const POD: JsonObject = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'web-1',
    labels: { app: 'web', __proto: 'x' },
    creationTimestamp: '2026-01-02T03:04:05Z',
    deletionGracePeriodSeconds: 0,
    managedFields: [{ manager: 'm', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { '.': {} } } }],
  },
  spec: {
    containers: [
      {
        name: 'c',
        image: 'registry.example/app:1',
        resources: { limits: { cpu: '500m' } },
        livenessProbe: { httpGet: { port: 'http' }, terminationGracePeriodSeconds: 0 },
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        securityContext: { runAsUser: 0, runAsNonRoot: false },
      },
    ],
    volumes: [{ name: 'v', emptyDir: {} }],
    priority: -5,
    activeDeadlineSeconds: 9_007_199_254_740_991,
    enableServiceLinks: false,
  },
};

describe('an object', () => {
  const cases: [string, JsonObject][] = [
    ['a pod', POD],
    [
      'text that is not ASCII',
      { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'ü' }, data: { k: '日本 😀 é' } },
    ],
    [
      'an empty value',
      { kind: 'ConfigMap', apiVersion: 'v1', metadata: {}, data: { k: '' }, binaryData: { b: 'AP/+' } },
    ],
    ['a text of many bytes', { kind: 'ConfigMap', apiVersion: 'v1', metadata: {}, data: { k: 'é'.repeat(100_000) } }],
    [
      'texts around a length of one byte',
      { kind: 'ConfigMap', apiVersion: 'v1', metadata: {}, data: { a: 'x'.repeat(127), b: 'x'.repeat(128) } },
    ],
    [
      'micro times',
      {
        kind: 'Lease',
        apiVersion: 'coordination.k8s.io/v1',
        metadata: {},
        spec: { holderIdentity: '', renewTime: '2026-01-02T03:04:05.000001Z', leaseTransitions: 0 },
      },
    ],
    [
      'a list',
      {
        kind: 'PodList',
        apiVersion: 'v1',
        metadata: { resourceVersion: '7' },
        items: [{ metadata: { name: 'a' }, spec: {}, status: {} }],
      },
    ],
    [
      'raw JSON',
      {
        kind: 'ControllerRevision',
        apiVersion: 'apps/v1',
        metadata: {},
        data: { any: [1, null, { a: 'b' }] },
        revision: 3,
      },
    ],
    [
      'a slice',
      {
        kind: 'EndpointSlice',
        apiVersion: 'discovery.k8s.io/v1',
        metadata: {},
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }],
        ports: [{ name: '', port: 80 }],
      },
    ],
    [
      'a time that is none',
      {
        kind: 'PodDisruptionBudget',
        apiVersion: 'policy/v1',
        metadata: {},
        status: {
          disruptedPods: { a: null },
          disruptionsAllowed: 0,
          currentHealthy: 0,
          desiredHealthy: 0,
          expectedPods: 0,
        },
      },
    ],
    [
      'a status',
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        code: 404,
        details: { causes: [{ reason: 'r', field: 'f' }] },
      },
    ],
    [
      'a schema',
      {
        kind: 'CustomResourceDefinition',
        apiVersion: 'apiextensions.k8s.io/v1',
        metadata: {},
        spec: {
          group: 'g',
          scope: 'Cluster',
          names: { plural: 'p', kind: 'K' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: false,
              schema: {
                openAPIV3Schema: {
                  $ref: 'x',
                  default: { a: [1] },
                  maximum: 1.5,
                  minLength: 0,
                  additionalProperties: false,
                  items: [{ type: 'string' }],
                  properties: { a: { items: { type: 'integer' }, additionalProperties: { type: 'string' } } },
                  dependencies: { a: ['b'], c: { type: 'object' } },
                  'x-kubernetes-list-map-keys': ['k'],
                },
              },
            },
          ],
        },
      },
    ],
  ];
  it.each(cases)('comes back: %s', (_, object) => {
    expect(there(object)).toEqual(object);
  });
});

describe('zeros', () => {
  it('of plain fields are absent, of pointers they are said', () => {
    const service = { kind: 'Service', apiVersion: 'v1', metadata: { generateName: '', generation: 0 } };
    const spec = {
      ports: [{ port: 80, nodePort: 0, name: '' }],
      allocateLoadBalancerNodePorts: false,
      publishNotReadyAddresses: false,
    };
    expect(there({ ...service, spec })).toEqual({
      ...service,
      metadata: {},
      spec: { ports: [{ port: 80 }], allocateLoadBalancerNodePorts: false },
    });
    const backend = { service: { name: 's', port: { name: 'http', number: 0 } } };
    expect(
      there({ kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', metadata: {}, spec: { defaultBackend: backend } }),
    ).toMatchObject({
      spec: { defaultBackend: { service: { port: { name: 'http' } } } },
    });
    const deployment = {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: {},
      spec: { replicas: 0, minReadySeconds: 0 },
      status: { replicas: 0 },
    };
    expect(there(deployment)).toEqual({ ...deployment, spec: { replicas: 0 }, status: {} });
  });
});

describe('what is no object', () => {
  const bytes = (...parts: (number | string)[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part])));
  const cases: [string, Uint8Array][] = [
    ['nothing', bytes()],
    ['other text', bytes('{"kind":"Pod"}')],
    ['the magic alone', bytes('k8s', 0)],
    ['a kind that there is not', encodedKind('v1', 'Nothing')],
    ['a hostile kind', encodedKind('v1', '__proto__')],
    ['a length beyond the end', bytes('k8s', 0, 0x12, 0x7f)],
    ['a length of 2^63', bytes('k8s', 0, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ['a varint without end', bytes('k8s', 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['field number 0', bytes('k8s', 0, 0x00, 0x00)],
    ['a group', bytes('k8s', 0, 0x0b)],
  ];
  function encodedKind(apiVersion: string, kind: string): Uint8Array {
    const writer = new Writer();
    writer.raw(bytes('k8s', 0));
    writer.nested(1, () => {
      writer.text(1, apiVersion);
      writer.text(2, kind);
    });
    return writer.finish();
  }
  it.each(cases)('%s', (_, body) => {
    expect(problem(body)).toBe(400);
  });

  it('nesting without end is refused', () => {
    const writer = new Writer();
    const nest = (depth: number): void => {
      if (depth > 0) writer.nested(27, () => nest(depth - 1));
    };
    writer.raw(bytes('k8s', 0));
    writer.nested(1, () => {
      writer.text(1, 'apiextensions.k8s.io/v1');
      writer.text(2, 'CustomResourceDefinition');
    });
    writer.nested(2, () =>
      writer.nested(2, () => writer.nested(7, () => writer.nested(4, () => writer.nested(1, () => nest(2000))))),
    );
    expect(problem(writer.finish())).toBe(400);
  });

  it('kinds that are not built in cannot be written', () => {
    expect(() => encodeProtobuf({ kind: 'Thing', apiVersion: 'example.com/v1' })).toThrow(StatusError);
  });

  it('fields that are not known are passed over', () => {
    const writer = new Writer();
    writer.raw(bytes('k8s', 0));
    writer.nested(1, () => {
      writer.text(1, 'v1');
      writer.text(2, 'ConfigMap');
    });
    writer.nested(2, () => {
      writer.tag(900, 0);
      writer.int(-1);
      writer.tag(901, 1);
      writer.double(1.5);
      writer.text(902, 'x');
      writer.tag(903, 5);
      writer.raw(bytes(1, 2, 3, 4));
      // Known by number, but of another wire type.
      writer.tag(2, 0);
      writer.int(1);
      writer.nested(1, () => writer.text(1, 'name'));
    });
    expect(decodeProtobuf(writer.finish()).object).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'name' },
    });
  });
});

it.each([
  0,
  1,
  127,
  128,
  300,
  2 ** 31,
  2 ** 32,
  2 ** 49 - 1,
  2 ** 49,
  Number.MAX_SAFE_INTEGER,
  -1,
  -(2 ** 31),
  Number.MIN_SAFE_INTEGER,
])('the integer %d comes back', (value) => {
  const writer = new Writer();
  writer.int(value);
  expect(new Reader(writer.finish()).int()).toBe(value);
});

/** The code that a body is refused with, 200 where it is not; any other error is a fault. */
function problem(body: Uint8Array): number {
  try {
    decodeProtobuf(body);
    return 200;
  } catch (error) {
    if (error instanceof StatusError) return error.status.code ?? 0;
    throw error;
  }
}

/** Numbers that are the same in every run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function mangle(body: Uint8Array, rounds: number, seed: number): void {
  const random = randoms(seed);
  const at = (): number => Math.floor(random() * body.length);
  for (let i = 0; i < rounds; i++) {
    const copy = body.slice(0, i % 2 === 0 ? at() : body.length);
    for (let k = i % 4; k > 0; k--) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
    expect([200, 400]).toContain(problem(copy));
  }
}

it('mangled bodies are decoded or refused, never worse', () => {
  mangle(encodeProtobuf(POD), 2000, 1);
});

const PAIRS = join(process.env['ZEROPLANE_RECORDINGS'] ?? '../shared/fixtures/recorded', '../api-roundtrip');

describe.skipIf(!existsSync(PAIRS))('what Go clients send', () => {
  // WatchEvent goes without an envelope's kind.
  const files = existsSync(PAIRS)
    ? readdirSync(PAIRS).filter((file) => file.endsWith('.json') && !file.includes('WatchEvent'))
    : [];
  it.each(files)('%s', (file) => {
    const object = JSON.parse(readFileSync(join(PAIRS, file), 'utf8')) as JsonObject;
    const bytes = new Uint8Array(readFileSync(join(PAIRS, file.replace('.json', '.pb'))));
    const decoded = decodeProtobuf(bytes);
    expect(decoded).toEqual({ apiVersion: object['apiVersion'], kind: object['kind'], object });
    expect(Buffer.from(encodeProtobuf(object)).equals(Buffer.from(bytes))).toBe(true);
    mangle(bytes, 60, bytes.length);
  });
});
