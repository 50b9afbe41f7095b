import { describe, expect, it } from 'vitest';
import { namespaceLifecycle } from '../../src/api/admission/namespace-lifecycle.ts';
import { findResource } from '../../src/resources/index.ts';

const resource = findResource('', 'v1', 'configmaps');
const active = { metadata: { name: 'n', uid: 'new' }, status: { phase: 'Active' } };
const terminating = {
  metadata: { name: 'n', deletionTimestamp: '2026-01-01T00:00:00Z' },
  status: { phase: 'Terminating' },
};

/** Creates in a namespace of which the store says one thing after the other; answers how it went, and how often the store was asked. */
function creations(cluster: string, ...states: (object | null)[]) {
  let asked = 0;
  const get = async (): Promise<string | null> => {
    const state = states[Math.min(asked++, states.length - 1)] ?? null;
    return state === null ? null : JSON.stringify(state);
  };
  const context = { info: { cluster }, around: { store: () => ({ get }) } };
  const object = { metadata: { name: 'x', namespace: 'n' } };
  const create = async (): Promise<string> => {
    try {
      await namespaceLifecycle.admit?.({ context, resource, object, operation: 'CREATE' } as never);
      return 'created';
    } catch (error) {
      return (error as { status: { reason: string } }).status.reason;
    }
  };
  return { create, asked: () => asked };
}

describe('NamespaceLifecycle', () => {
  it('asks once a second for a namespace that is there', async () => {
    const { create, asked } = creations('one', active);
    expect([await create(), await create(), asked()]).toEqual(['created', 'created', 1]);
  });

  it('refuses what is new in a namespace that ends', async () => {
    const { create } = creations('two', terminating);
    expect([await create(), await create()]).toEqual(['Forbidden', 'Forbidden']);
  });

  it('does not take a namespace that is new for the one that ended a moment before', async () => {
    const { create } = creations('three', terminating, active);
    expect([await create(), await create()]).toEqual(['Forbidden', 'created']);
  });

  it('knows that one that ended is gone', async () => {
    const { create } = creations('four', terminating, null);
    expect([await create(), await create()]).toEqual(['Forbidden', 'NotFound']);
  });
});
