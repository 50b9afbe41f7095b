import { describe, expect, it } from 'vitest';
import { GroupedCreates } from '../../src/durable-objects/grouped-creates.ts';
import type { Creation } from '../../src/durable-objects/rpc.ts';
import type { CommitResult } from '../../src/store/types.ts';

/** A store whose calls end when they are told to. */
function store() {
  const calls: { keys: string[]; end(): void; fail(error: Error): void }[] = [];
  const createMany = (creations: readonly Creation[]): Promise<CommitResult[]> =>
    new Promise((resolve, reject) => {
      const keys = creations.map(({ key }) => key);
      const results = keys.map((text, i) => ({ text, deleted: false, resourceVersion: i + 1 }));
      calls.push({ keys, end: () => resolve(results), fail: reject });
    });
  return { calls, creates: new GroupedCreates(() => ({ createMany })) };
}

const object = (text = '{}') => ({ text, uid: 'u', labels: undefined, fields: undefined, owners: undefined });
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('grouped creates', () => {
  it('go at once when they are alone, and together when a call is under way', async () => {
    const { calls, creates } = store();
    const results = ['a', 'b', 'c'].map((key) => creates.create(key, object(), false));
    expect(calls.map(({ keys }) => keys)).toEqual([['a']]);
    calls[0]?.end();
    await settled();
    expect(calls.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c']]);
    calls[1]?.end();
    expect(await Promise.all(results)).toMatchObject([{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
  });

  it('fail with their own call alone', async () => {
    const { calls, creates } = store();
    const lost = expect(creates.create('lost', object(), false)).rejects.toThrow('gone');
    const kept = creates.create('kept', object(), false);
    calls[0]?.fail(new Error('gone'));
    await lost;
    await settled();
    calls[1]?.end();
    expect(await kept).toMatchObject({ text: 'kept' });
  });

  it('are never more than a call can carry', async () => {
    const { calls, creates } = store();
    const large = object('x'.repeat(3 << 20));
    for (const key of ['a', 'b', 'c', 'd']) void creates.create(key, large, false);
    for (let i = 0; i < 3; i++) {
      calls[i]?.end();
      await settled();
    }
    expect(calls.map(({ keys }) => keys)).toEqual([['a'], ['b', 'c'], ['d']]);
  });
});
