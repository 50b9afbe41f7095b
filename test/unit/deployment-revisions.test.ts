import { expect, it } from 'vitest';
import { byRevision, maxRevision, REVISION, revisionOf } from '../../src/controllers/deployment/revisions.ts';
import type { ReplicaSet } from '../../src/generated/types/apps.v1.ts';

const set = (revision?: string): ReplicaSet => ({
  metadata: { name: 'rs', annotations: revision === undefined ? {} : { [REVISION]: revision } },
});

it.each([
  [undefined, 0n],
  ['', 0n],
  ['7', 7n],
  ['3546343826724305832', 3546343826724305832n],
  ['9223372036854775807', 9223372036854775807n],
  ['9223372036854775808', 0n],
  ['1.5', 0n],
  ['0x10', 0n],
])('the revision %s is %s', (text, revision) => {
  expect(revisionOf(set(text))).toBe(revision);
});

it('revisions beyond 2^53 are told apart', () => {
  const sets = ['9007199254740993', '2', '9007199254740992'].map(set);
  expect(sets.toSorted(byRevision).map(revisionOf)).toEqual([2n, 9007199254740992n, 9007199254740993n]);
  expect(maxRevision(sets) + 1n).toBe(9007199254740994n);
  expect(maxRevision([])).toBe(0n);
});
