/** What most tests of "API operations" do: every verb once on a resource that is otherwise left alone. */
import { expect } from 'vitest';
import type { KubeObject } from '../../../src/apimachinery/meta.ts';
import type { Resource } from './resource.ts';

export interface Choices {
  /** Where names are not free: the objects' names. */
  names?: [string, string, string];
  /** In place of `body`, for each further object. */
  others?: [object, object];
  /** Whether there is a status to write, and a condition or other content for it. */
  status?: { patch: object; seen: (object: never) => unknown };
}

/**
 * Creates, gets, lists, watches, patches, updates, deletes and deletes collections; `change` is a merge patch that the objects
 * must take.
 */
export async function operations<T extends KubeObject>(
  resource: Resource<T>,
  body: object,
  change: object,
  { names = ['first', 'second', 'third'], others = [body, body], status }: Choices = {},
): Promise<void> {
  const [first, second, third] = names;
  // Of the whole cluster's resources only ours.
  const set = `set-${Math.random().toString(36).slice(2)}`;
  const labels = { set };
  const labelSelector = `set=${set}`;
  const created = await resource.create({ ...body, metadata: { name: first, labels } });
  expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect((await resource.get(first)).metadata.uid).toBe(created.metadata.uid);
  const list = await resource.list({ labelSelector });
  expect(list.items.map(({ metadata }) => metadata.name)).toEqual([first]);

  const { resourceVersion } = list.metadata;
  const patched = await resource.patch(first, { ...change, metadata: { annotations: { patched: 'true' } } });
  expect(patched).toMatchObject(change);
  expect(patched.metadata.annotations).toMatchObject({ patched: 'true' });
  const updated = await resource.update(first, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, updated: 'true' };
  });
  expect(updated.metadata.annotations).toMatchObject({ patched: 'true', updated: 'true' });
  if (status !== undefined) {
    const { patch, seen } = status;
    const written = await resource.patch(first, { status: patch }, { subresource: 'status' });
    expect(seen(written as never)).toMatchObject(seen({ status: patch } as never) as object);
    await resource.update(
      first,
      ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, updatedstatus: 'true' };
      },
      'status',
    );
    expect((await resource.get(first, 'status')).metadata.name).toBe(first);
  }
  await resource.delete(first);
  await resource.untilGone(first);
  const ofFirst = await resource.watch({ resourceVersion, labelSelector }, (seen) => seen.at(-1)?.type === 'DELETED');
  expect(ofFirst.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])).toEqual([
    'MODIFIED',
    'DELETED',
  ]);

  await resource.create({ ...others[0], metadata: { name: second, labels } });
  await resource.create({ ...others[1], metadata: { name: third, labels } });
  await resource.deleteCollection({ labelSelector });
  await resource.untilList((items) => items.length === 0, { labelSelector });
}
