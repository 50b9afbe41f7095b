/** What holds of every strategic merge patch: the difference of two objects, applied to the first, gives the second. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../../src/apimachinery/patch/index.ts';
import { type MessageSchema, schemaFor } from '../../src/apimachinery/schema/index.ts';
import { Chance, randomMessage } from '../support/random.ts';
import { patchable, twoWayPatch } from '../support/two-way.ts';

const COUNT = 150;
const KINDS: [apiVersion: string, kind: string][] = [
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['v1', 'Node'],
  ['v1', 'ServiceAccount'],
  ['apps/v1', 'Deployment'],
  ['batch/v1', 'CronJob'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
];

/** A second state: parts of the first, parts of another. */
function mixed(a: JsonObject, b: JsonObject, chance: Chance): JsonObject {
  const result: JsonObject = {};
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [left, right] = [a[key], b[key]];
    const isBoth = typeof left === 'object' && typeof right === 'object' && left !== null && right !== null;
    if (isBoth && !Array.isArray(left) && !Array.isArray(right)) result[key] = mixed(left, right, chance);
    else if (isBoth && Array.isArray(left) && Array.isArray(right)) result[key] = chance.some([...right, ...left], 0.6);
    else if (chance.happens(0.8)) result[key] = chance.happens(0.5) ? (left ?? right) : (right ?? left);
  }
  return result;
}

describe.each(KINDS)('%s %s', (apiVersion, kind) => {
  const schema = schemaFor(apiVersion, kind) as MessageSchema;
  const pairs = Array.from({ length: COUNT }, (_, seed) => {
    const chance = new Chance(seed);
    const make = (): JsonObject => structuredClone(patchable(randomMessage(schema, chance), schema));
    const original = make();
    return { seed, original, modified: patchable(structuredClone(mixed(original, make(), chance)), schema) };
  });

  it('the difference of two states makes the second of the first', () => {
    for (const { seed, original, modified } of pairs) {
      const before = structuredClone(original);
      const patch = twoWayPatch(original, modified, schema);
      const result = strategicMergePatch(original, patch, schema);
      expect(result, `seed ${seed}: ${JSON.stringify(patch)}`).toEqual(modified);
      expect(original, `seed ${seed}: the argument has changed`).toEqual(before);
      expect(strategicMergePatch(result, patch, schema), `seed ${seed}, twice`).toEqual(modified);
    }
  });

  it('nothing changes by the difference to itself', () => {
    for (const { original } of pairs) {
      expect(twoWayPatch(original, original, schema)).toEqual({});
      expect(strategicMergePatch(original, {}, schema)).toEqual(original);
      expect(mergePatch(original, {})).toEqual(original);
    }
  });

  it('a JSON patch of what is there tests true and replaces nothing', () => {
    for (const { original } of pairs) {
      const operations = Object.entries(original).flatMap(([key, value]) => [
        { op: 'test', path: `/${key}`, value: value ?? null },
        { op: 'replace', path: `/${key}`, value: value ?? null },
      ]);
      expect(jsonPatch(structuredClone(original), structuredClone(operations))).toEqual(original);
    }
  });
});
