/** Bodies and patches that nobody would write but to do harm: each is taken or refused as the client's mistake, and in good time. */
import { describe, expect, it } from 'vitest';
import { encodeProtobuf } from '../../src/apimachinery/codec/index.ts';
import { findResource } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { type Fuzzed, outcomeOf, outcomeOfPatch, randomBody, randomPatch } from '../support/fuzz.ts';
import { Chance } from '../support/random.ts';

/** `test/bench/fuzz.ts` does the same a hundred times as often, from another seed each time. */
const COUNT = 750;

describe('by chance', () => {
  it('bodies are taken or refused', () => {
    const wrong = Array.from({ length: COUNT }, (_, seed) => [seed, outcomeOf(randomBody(new Chance(seed)))] as const);
    expect(wrong.filter(([, outcome]) => outcome.startsWith('WRONG'))).toEqual([]);
    expect(wrong.filter(([, outcome]) => outcome === 'refused 422').length).toBeGreaterThan(COUNT / 20);
  });

  it('patches are taken or refused', () => {
    const wrong = Array.from(
      { length: COUNT },
      (_, seed) => [seed, outcomeOfPatch(randomPatch(new Chance(seed)))] as const,
    );
    expect(wrong.filter(([, outcome]) => outcome.startsWith('WRONG'))).toEqual([]);
    expect(wrong.filter(([, outcome]) => outcome === 'taken').length).toBeGreaterThan(COUNT / 100);
  });
});

describe('on purpose', () => {
  const DEEP = 10_000;
  const configMaps = findResource('', 'v1', 'configmaps') as Resource;
  const pods = findResource('', 'v1', 'pods') as Resource;
  const nested = (open: string, close: string): string => `${open.repeat(DEEP)}1${close.repeat(DEEP)}`;
  const lol = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${Array(9).fill(i === 0 ? 'lol' : `*a${i - 1}`)}]`);
  const anchors = Array.from({ length: 5000 }, (_, i) => `k${i}: &a${i} v`);
  const aliases = Array.from({ length: 5000 }, (_, i) => `*a${i}`);

  const JSON_BODIES: [string, string][] = [
    ['objects in objects', `{"data":${nested('{"a":', '}')}}`],
    ['lists in lists', nested('[', ']')],
    ['raw values', `{"metadata":{"managedFields":[{"fieldsV1":${nested('{"a":', '}')}}]}}`],
    ['fields that are not known', `{"x":${nested('[', ']')}}`],
    ['numbers too large', '{"metadata":{"generation":1e999}}'],
    ['numbers too long', `{"metadata":{"generation":${'9'.repeat(100_000)}}}`],
    ['a lone surrogate in a key', '{"data":{"\\ud800":"x"}}'],
    [
      'the prototype',
      '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"metadata":{"__proto__":{"name":"x"}}}',
    ],
    ['labels that are the prototype', '{"metadata":{"name":"x","labels":{"__proto__":"y"}},"data":{"__proto__":"z"}}'],
    ['a key many times', `{"metadata":{"name":"UPPER"},"data":{${'"a":"1",'.repeat(20_000)}"a":"2"}}`],
  ];
  const YAML_BODIES: [string, string][] = [
    ['lists in lists', '- '.repeat(DEEP)],
    ['keys in keys', '? '.repeat(DEEP)],
    ['keys that are maps', `${'? '.repeat(400)}a`],
    ['flow in flow', `a: ${nested('[', ']')}`],
    ['texts that multiply', lol.join('\n')],
    ['an alias of each anchor', `${anchors.join('\n')}\nx: [${aliases}]`],
    ['the prototype', '__proto__: {x: 1}\nconstructor: {prototype: {x: 1}}\n<<: {toString: 1}\n'],
    ['what is no number', 'metadata: {generation: .nan}'],
  ];
  const PROTOBUF_BODIES: [string, Uint8Array][] = [
    ['a quantity that is none', encodeProtobuf(pod({ limits: { cpu: 'much' } }))],
    ['lengths without end', Buffer.concat([Buffer.from('k8s\0'), Buffer.from('\x12\xff\xff\xff\xff\x0f', 'latin1')])],
    ['messages in messages', Buffer.from(`k8s\0${'\x12\x7f'.repeat(DEEP)}`, 'latin1')],
  ];
  function pod(resources: object) {
    return {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {},
      spec: { containers: [{ name: 'c', resources: { ...resources } }] },
    };
  }

  const of = (type: Fuzzed['type'], body: string | Uint8Array, resource = configMaps): Fuzzed => ({
    resource,
    type,
    bytes: new Uint8Array(Buffer.from(body)),
  });

  it.each(JSON_BODIES)('JSON: %s', (_, body) => {
    expect(outcomeOf(of('application/json', body))).toMatch(/^refused 4\d\d$/);
  });

  it.each(YAML_BODIES)('YAML: %s', (_, body) => {
    expect(outcomeOf(of('application/yaml', body))).toMatch(/^refused 4\d\d$/);
  });

  it.each(PROTOBUF_BODIES)('protobuf: %s', (_, body) => {
    expect(outcomeOf(of('application/vnd.kubernetes.protobuf', body, pods))).toBe('refused 400');
  });

  it.each(['merge', 'strategic', 'json', 'apply'] as const)('a patch that nests: %s', (patchType) => {
    for (const text of [
      `{"data":${nested('{"a":', '}')}}`,
      nested('[', ']'),
      `[{"op":"add","path":"/data/a","value":${nested('[', ']')}}]`,
    ]) {
      expect(outcomeOfPatch({ resource: configMaps, patchType, bytes: Buffer.from(text) })).toMatch(/^refused 4\d\d$/);
    }
  });
});
