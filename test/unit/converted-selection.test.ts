/** Selection by fields of a version that is not the stored one: what a list holds, and what a watcher sees come and go. */
import { describe, expect, it } from 'vitest';
import { asStored, convertedSelection, Sight } from '../../src/api/conversion/selection.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type { Resource } from '../../src/resources/resource.ts';

type Thing = KubeObject & { host: string };

const resource = {
  custom: {},
  conversion: {},
  selectableFields: ({ host }: Thing) => ({ host }),
} as unknown as Resource;
const thing = (host: string, uid = 'u'): Thing => ({ metadata: { name: 'x', uid }, host }) as Thing;

describe('a selector', () => {
  it.each([
    ['host=a', '', true],
    ['host!=a', '', false],
    ['host=a,metadata.name=x', 'metadata.name=x', true],
    ['host=b,metadata.namespace!=n', 'metadata.namespace!=n', false],
    [String.raw`metadata.name=a\,b,host=a`, String.raw`metadata.name=a\,b`, true],
  ])('%s is judged in two parts', (selector, stored, selects) => {
    const selection = convertedSelection(resource, selector);
    expect(selection?.stored).toBe(stored);
    expect(selection?.selects(thing('a'))).toBe(selects);
    expect(asStored({ prefix: 'n/', fieldSelector: selector }, selection)).toEqual(
      stored === '' ? { prefix: 'n/' } : { prefix: 'n/', fieldSelector: stored },
    );
  });

  it.each([
    ['of what every object has', resource, 'metadata.name=x'],
    ['of the stored version', { ...resource, conversion: undefined } as unknown as Resource, 'host=a'],
    ['of a built-in resource', { ...resource, custom: undefined } as unknown as Resource, 'host=a'],
    ['that selects all', resource, ''],
  ])('%s is left to the store', (_, of, selector) => {
    expect(convertedSelection(of, selector)).toBeUndefined();
    expect(asStored({ fieldSelector: selector }, undefined)).toEqual({ fieldSelector: selector });
  });
});

describe('a watcher of host=a sees', () => {
  it.each([
    [
      'what it wants, from its making to its end',
      ['ADDED a', 'MODIFIED a', 'DELETED a'],
      ['ADDED', 'MODIFIED', 'DELETED'],
    ],
    ['nothing of others', ['ADDED b', 'MODIFIED c', 'DELETED c'], []],
    ['what comes into sight as new', ['ADDED b', 'MODIFIED a'], ['ADDED']],
    [
      'what goes out of sight as gone, once',
      ['ADDED a', 'MODIFIED b', 'MODIFIED c', 'DELETED c'],
      ['ADDED', 'DELETED'],
    ],
    ['that what was there before is out of sight', ['MODIFIED b', 'MODIFIED b'], ['DELETED']],
    ['the end of what was there before', ['DELETED a'], ['DELETED']],
  ])('%s', (_, changes, expected) => {
    const selection = convertedSelection(resource, 'host=a');
    if (selection === undefined) throw new Error('there is a selection');
    const sight = new Sight(selection);
    const seen = changes.map((change) => {
      const [type = '', host = ''] = change.split(' ');
      return sight.see(type, thing(host));
    });
    expect(seen.filter((type) => type !== undefined)).toEqual(expected);
  });
});
