/** What clients write of a status, as several tests try it. */
import { expect } from 'vitest';
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../../src/generated/types/apps.v1.ts';
import type { Resource } from './resource.ts';

/** Conditions that a client writes through the status subresource, beside what the controller says. */
export async function takesStatus(
  resource: Resource<Deployment | ReplicaSet> | Resource<StatefulSet | DaemonSet>,
  name: string,
): Promise<void> {
  const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' };
  await resource.update(
    name,
    ({ status }) => {
      if (status) status.conditions = [...(status.conditions ?? []), condition];
    },
    'status',
  );
  await resource.until(name, ({ status }) => status?.conditions?.some(({ type }) => type === 'StatusUpdate') ?? false);
  const conditions = [{ ...condition, type: 'StatusPatched' }];
  const patched = await resource.patch(name, { status: { conditions } }, { subresource: 'status' });
  expect(patched.status?.conditions).toEqual([expect.objectContaining(conditions[0])]);
}
