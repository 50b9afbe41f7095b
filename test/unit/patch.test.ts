import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { Json, JsonObject, Status } from '../../src/apimachinery/meta.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../../src/apimachinery/patch/index.ts';
import { schemaFor } from '../../src/apimachinery/schema/index.ts';

const statusOf = (run: () => unknown): Status | undefined => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
  return undefined;
};

const PROTO = '{"__proto__":{"polluted":1}}';

/** A list nested as deep as given. */
const nested = (depth: number): Json => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json;

describe('mergePatch', () => {
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    const before = JSON.stringify(target);
    expect(mergePatch(target, patch)).toEqual(expected);
    expect(JSON.stringify(target)).toBe(before);
  });

  it('leaves prototypes alone', () => {
    const merged = mergePatch({}, JSON.parse(PROTO) as Json);
    expect(JSON.stringify(merged)).toBe(PROTO);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each<[Json]>([[[]], ['x'], [null], [{ a: nested(2000) }]])('refuses case %#', (patch) => {
    expect(statusOf(() => mergePatch({}, patch))?.code).toBe(400);
  });
});

describe('jsonPatch', () => {
  it.each<[Json, Json, Json]>([
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 2] }, [{ op: 'add', path: '/a/1', value: 9 }], { a: [1, 9, 2] }],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 9 }], { a: [1, 9] }],
    [{ a: [1, 2] }, [{ op: 'remove', path: '/a/0' }], { a: [2] }],
    [
      { 'x/y': 1, '~': 2 },
      [
        { op: 'replace', path: '/x~1y', value: 3 },
        { op: 'remove', path: '/~0' },
      ],
      { 'x/y': 3 },
    ],
    [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/d', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 1, d: 2 } },
    ],
    [{ a: { b: [1] } }, [{ op: 'test', path: '/a', value: { b: [1] } }], { a: { b: [1] } }],
    [{}, [{ op: 'test', path: '/none', value: null }], {}],
    [{ a: 1 }, [], { a: 1 }],
    [{ a: 1 }, null, { a: 1 }],
    [{ a: 1 }, [{ op: 'replace', path: '/none', value: 1 }], { a: 1, none: 1 }],
    [{ a: 1 }, [{ op: 'replace', path: '/a' }], { a: null }],
    [{ a: 1 }, [{ op: 'add', path: '/b' }], { a: 1, b: null }],
    [{ a: 1 }, [{ op: 'copy', from: '/none', path: '/b' }], { a: 1, b: null }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
    [{ a: 1 }, [{ op: 'test', path: '', value: { a: 1 } }], { a: 1 }],
    [{ a: 1, b: 1 }, [{ op: 'remove', path: 'what/a' }], { b: 1 }],
    [{ l: [1, 2] }, [{ op: 'add', path: '/l/01', value: 3 }], { l: [1, 3, 2] }],
    [{ l: [1, 2] }, [{ op: 'remove', path: '/l/-1' }], { l: [1] }],
    [{ l: [1, 2] }, [{ op: 'add', path: '/l/-1', value: 3 }], { l: [1, 2, 3] }],
  ])('%j with %j is %j', (target, patch, expected) => expect(jsonPatch(target, patch)).toEqual(expected));

  it.each<[Json]>([
    [[{ op: 'remove', path: '/none' }]],
    [[{ op: 'add', path: '/none/x', value: 1 }]],
    [[{ op: 'add', path: '/list/5', value: 1 }]],
    [[{ op: 'add', path: '/list/-3', value: 1 }]],
    [[{ op: 'remove', path: 'list' }]],
    [[null]],
    [[{ op: 'replace', path: '/list/-', value: 1 }]],
    [[{ op: 'add', path: '', value: {} }]],
    [[{ op: 'test', path: '/list', value: [2] }]],
    [[{ op: 'move', from: '/deep', path: '/deep/er' }]],
    [[{ op: 'frobnicate', path: '/x' }]],
    [[{ op: 'remove', path: '/toString' }]],
    [[{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
    [[{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]],
    [Array.from({ length: 60 }, (_, at) => ({ op: 'copy', from: '/deep', path: `/deep/x${at}` }))],
  ])('rejects case %#', (patch) => {
    expect(statusOf(() => jsonPatch({ list: [1], deep: { text: 'x'.repeat(100) } }, patch))).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
      details: {},
    });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('answers to what is no patch', () => {
    expect(statusOf(() => jsonPatch({}, { op: 'x' }))?.message).toBe(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
    const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/x', value: null }));
    expect(statusOf(() => jsonPatch({}, many))).toMatchObject({
      code: 413,
      message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
    });
  });
});

describe('strategicMergePatch', () => {
  const schema = schemaFor('v1', 'Pod');
  const pod = (spec: JsonObject): JsonObject => ({ spec });
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'merges by key, the new ones first',
      { containers: [{ name: 'a', image: '1' }] },
      {
        containers: [
          { name: 'b', image: '2' },
          { name: 'a', image: '3' },
        ],
      },
      {
        containers: [
          { name: 'b', image: '2' },
          { name: 'a', image: '3' },
        ],
      },
    ],
    [
      'keeps the server order of what the patch does not name',
      { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      { containers: [{ name: 'c', image: 'x' }] },
      { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c', image: 'x' }] },
    ],
    [
      'deletes items',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      {
        containers: [
          { name: 'a', $patch: 'delete' },
          { name: 'z', $patch: 'delete' },
        ],
      },
      { containers: [{ name: 'b' }] },
    ],
    [
      'replaces lists on demand',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { containers: [{ $patch: 'replace' }, { name: 'c' }] },
      { containers: [{ name: 'c' }] },
    ],
    [
      'replaces lists without a strategy',
      { tolerations: [{ key: 'a' }], containers: [{ name: 'a', args: ['1'] }] },
      { tolerations: [{ key: 'b' }], containers: [{ name: 'a', args: ['2'] }] },
      { tolerations: [{ key: 'b' }], containers: [{ name: 'a', args: ['2'] }] },
    ],
    [
      'orders',
      { containers: [{ name: 'a' }, { name: 'server' }, { name: 'b' }] },
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'b', image: 'x' }] },
      { containers: [{ name: 'server' }, { name: 'b', image: 'x' }, { name: 'a' }] },
    ],
    [
      'orders without a change',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
      { containers: [{ name: 'b' }, { name: 'a' }] },
    ],
    [
      'retains keys',
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
      { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
    ],
    [
      'deletes keys',
      { nodeSelector: { a: 'b' }, hostname: 'h' },
      { nodeSelector: { a: null }, hostname: null },
      { nodeSelector: {} },
    ],
    [
      'replaces maps on demand',
      { nodeSelector: { a: 'b' } },
      { nodeSelector: { $patch: 'replace', c: 'd' } },
      { nodeSelector: { c: 'd' } },
    ],
    ['empties maps', { nodeSelector: { a: 'b' } }, { nodeSelector: { $patch: 'delete' } }, { nodeSelector: {} }],
    [
      'drops directives and nulls of what is new',
      {},
      {
        '$setElementOrder/containers': [{ name: 'a' }],
        containers: [
          { name: 'a', image: null, $retainKeys: ['name'] },
          { name: 'b', $patch: 'delete' },
        ],
      },
      { containers: [{ name: 'a' }] },
    ],
  ])('%s', (_, before, patch, expected) => {
    const [target, change] = [pod(before), pod(patch)];
    const texts = [JSON.stringify(target), JSON.stringify(change)];
    expect(strategicMergePatch(target, change, schema)).toEqual(pod(expected));
    expect([JSON.stringify(target), JSON.stringify(change)]).toEqual(texts);
  });

  it('merges lists of scalars', () => {
    const target = { metadata: { finalizers: ['a/b', 'c/d'] } };
    const patched = (metadata: JsonObject): Json => strategicMergePatch(target, { metadata }, schema);
    expect(patched({ finalizers: ['e/f', 'a/b'] })).toEqual({ metadata: { finalizers: ['e/f', 'a/b', 'c/d'] } });
    expect(patched({ '$deleteFromPrimitiveList/finalizers': ['a/b'] })).toEqual({ metadata: { finalizers: ['c/d'] } });
    expect(patched({ '$setElementOrder/finalizers': ['c/d', 'a/b'] })).toEqual({
      metadata: { finalizers: ['c/d', 'a/b'] },
    });
  });

  it.each<[JsonObject, string]>([
    [{ containers: [{ image: 'x' }] }, 'map: map[image:x] does not contain declared merge key: name'],
    [{ containers: [{ $patch: 'odd', name: 'a' }] }, 'unknown patch type: odd in map: map[$patch:odd name:a]'],
    [{ containers: ['x'] }, 'list element types are not identical'],
    [{ '$setElementOrder/volumes': null }, 'expected a slice, but received a nil'],
    [{ '$setElementOrder/containers': ['a'] }, 'expected a map, but received a string'],
    [
      { '$setElementOrder/containers': [{ image: 'a' }] },
      'map: map[image:a] does not contain declared merge key: name',
    ],
    [{ '$setElementOrder/odd': [] }, 'unable to find api field in struct core.v1.PodSpec for the json field "odd"'],
    [
      { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a' }] },
      "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
    ],
  ])('%j', (patch, message) => {
    const status = statusOf(() => strategicMergePatch(pod({ containers: [{ name: 'a' }] }), pod(patch), schema));
    expect(status).toMatchObject({ code: 500, message });
    expect(status).not.toHaveProperty('reason');
  });

  it.each<[JsonObject, string]>([
    [{ $retainKeys: ['x'], hostname: 'y' }, 'retainKeys'],
    [{ $retainKeys: 'x' }, 'retainKeys'],
    [{ $deleteFromPrimitiveList: ['x'] }, 'primitive list'],
    [{ $setElementOrder: [] }, 'setElementOrder list'],
  ])('%j has another form than it should', (patch, what) => {
    const status = statusOf(() => strategicMergePatch(pod({ containers: [{ name: 'a' }] }), pod(patch), schema));
    expect(status).toMatchObject({ code: 400, reason: 'BadRequest', message: `invalid patch format of ${what}` });
  });

  it('leaves directives in what takes the place of another list', () => {
    const before = pod({ tolerations: [{ key: 'a' }] });
    const after = { tolerations: [{ key: 'b', $patch: 'delete' }] };
    expect(strategicMergePatch(before, pod(after), schema)).toEqual(pod(after));
  });

  it('works without a schema, and leaves prototypes alone', () => {
    expect(strategicMergePatch({ a: { b: [1], c: 1 } }, { a: { b: [2] } }, undefined)).toEqual({ a: { b: [2], c: 1 } });
    expect(JSON.stringify(strategicMergePatch({}, JSON.parse(PROTO) as Json, undefined))).toBe(PROTO);
  });
});

interface Step {
  request: { method: string; path: string; headers?: Record<string, string>; body: Json };
  response: { status: number; body: JsonObject };
}

/** Everything in `ours` is in `theirs`, lists at full length: theirs also has defaults. */
function isWithin(ours: unknown, theirs: unknown): boolean {
  if (Array.isArray(ours)) {
    return (
      Array.isArray(theirs) && ours.length === theirs.length && ours.every((part, at) => isWithin(part, theirs[at]))
    );
  }
  if (typeof ours !== 'object' || ours === null) return ours === theirs;
  if (typeof theirs !== 'object' || theirs === null) return false;
  return Object.entries(ours).every(([key, value]) => isWithin(value, (theirs as Record<string, unknown>)[key]));
}

const KNOWN_BY_SERVER = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp'];
const stripped = (object: JsonObject): JsonObject => {
  const { status: _, ...rest } = structuredClone(object);
  for (const key of KNOWN_BY_SERVER) delete (rest['metadata'] as JsonObject)[key];
  return rest;
};

const folder = new URL('../../../shared/fixtures/recorded/scenarios', import.meta.url).pathname;
describe.skipIf(!existsSync(folder)).each(['patch-json', 'patch-strategic'])('patches of the original: %s', (name) => {
  const file = `${folder}/${name}.json`;
  const { steps } = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { steps: [] }) as { steps: Step[] };
  const live = new Map<string, JsonObject>();
  steps.forEach(({ request, response }, at) => {
    if (request.method === 'POST') {
      live.set(`${request.path}/${(response.body['metadata'] as JsonObject)['name']}`, response.body);
      return;
    }
    const target = live.get(request.path);
    const type = request.headers?.['content-type'] ?? '';
    const good = response.status === 200;
    if (good) live.set(request.path, response.body);
    // Other failures are of what comes after the patch.
    const ours =
      response.body['code'] === 500 || /error in our request|\[\]handlers/.test(String(response.body['message']));
    if (target === undefined || request.body === 'garbage' || (!good && !ours)) return;
    it(`step ${at}: ${JSON.stringify(request.body).slice(0, 100)}`, () => {
      const run = (): Json => {
        const schema = schemaFor(String(target['apiVersion']), String(target['kind']));
        const before = stripped(target);
        return type.includes('strategic')
          ? strategicMergePatch(before, request.body, schema)
          : jsonPatch(before, request.body);
      };
      if (good) {
        const patched = run();
        expect(isWithin(patched, response.body), JSON.stringify(patched)).toBe(true);
      } else {
        expect(statusOf(run)).toEqual(response.body);
      }
    });
  });
});
