/** Devices over time: prepared, waited for, given back, and never given to two claims. */
import { describe, expect, it } from 'vitest';
import { conflict } from '../../src/apimachinery/errors.ts';
import { CLAIMS, claim, claimOf, DRIVER, device, devicesOf, lab, SLICES, slice, using } from '../support/devices.ts';
import type { SchedulerLab } from '../support/scheduler.ts';

describe('devices that have to be prepared', () => {
  const slow = device('slow', {}, { bindingConditions: ['Attached'], bindingFailureConditions: ['Broken'] });
  const say = ({ cluster }: SchedulerLab, type: string) => {
    const conditions = [{ type, status: 'True', reason: 'Said', message: 'so' }];
    const devices = [{ driver: DRIVER, pool: 'n1', device: 'slow', conditions }];
    return cluster.patch(CLAIMS, 'default', 'c', 'merge', { status: { devices } }, 'status');
  };
  const start = async (slices = [slice('n1', [slow])]): Promise<SchedulerLab> => {
    const made = await lab({ slices, claims: [claim('c')] });
    await made.pod('p', {}, using('c'));
    await made.settle();
    return made;
  };

  it('are taken last, and waited for', async () => {
    const made = await start();
    expect([made.nodeOf('p'), devicesOf(made, 'c')]).toEqual([undefined, ['r=n1/slow']]);
    const told = 'waiting for binding conditions for device on node n1';
    expect(made.events.map(({ reason, message }) => [reason, message])).toEqual([['BindingConditionsPending', told]]);
    await say(made, 'Attached');
    await made.settle();
    expect(made.nodeOf('p')).toBe('n1');
    const quick = await start([slice('n1', [slow]), slice('a', ['quick'], { nodeName: 'n1' })]);
    expect([quick.nodeOf('p'), devicesOf(quick, 'c')]).toEqual(['n1', ['r=a/quick']]);
  });

  it.each<[what: string, act: (made: SchedulerLab) => Promise<unknown>, why: string]>([
    ['have failed', (made) => say(made, 'Broken'), 'claim c binding failed: reason=Said, message="so"'],
    ['take too long', (made) => made.after(600_001), 'timed out waiting for the pod to be bound'],
  ])('are given up when they %s', async (_, act, why) => {
    const made = await start();
    await act(made);
    await made.settle();
    expect(made.events.some(({ message }) => message.includes(why))).toBe(true);
    await made.cluster.delete(SLICES, '', 'n1');
    await made.cluster.create(SLICES, slice('n2', ['d']));
    await made.after(20_000);
    await made.after(20_000);
    expect([made.nodeOf('p'), devicesOf(made, 'c')]).toEqual(['n2', ['r=n2/d']]);
  });
});

describe('a pod is tried again when', () => {
  it.each<[what: string, act: (made: SchedulerLab) => Promise<unknown>]>([
    ['its claim comes', ({ cluster }) => cluster.create(CLAIMS, claim('late'))],
    [
      'another claim gives its devices back',
      ({ cluster }) => cluster.patch(CLAIMS, 'default', 'first', 'merge', { status: { allocation: null } }, 'status'),
    ],
    ['devices come', ({ cluster }) => cluster.create(SLICES, slice('n2', ['e']))],
  ])('%s', async (what, act) => {
    const name = what.startsWith('its') ? 'late' : 'second';
    const slices = [slice('n1', name === 'late' ? ['d', 'e'] : ['d'])];
    const made = await lab({ slices, claims: [claim('first'), claim('second')] });
    await made.pod('p', {}, using('first'));
    await made.settle();
    await made.pod('q', {}, using(name));
    await made.settle();
    expect([made.nodeOf('p'), made.nodeOf('q')]).toEqual(['n1', undefined]);
    await act(made);
    await made.after(2000);
    expect(made.nodeOf('q')).toBeDefined();
  });

  it('the claim of its template was made', async () => {
    const made = await lab({ slices: [slice('n1', ['d'])] });
    const spec = { resourceClaims: [{ name: 'c', resourceClaimTemplateName: 't' }] };
    const { metadata } = await made.pod('p', {}, spec);
    await made.settle();
    // It is not even tried, and nobody is told.
    expect([made.nodeOf('p'), made.why('p'), made.events]).toEqual([undefined, undefined, []]);
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: metadata.uid ?? '', controller: true };
    const own = claim('own');
    await made.cluster.create(CLAIMS, { ...own, metadata: { ...own.metadata, ownerReferences: [owner] } });
    const resourceClaimStatuses = [{ name: 'c', resourceClaimName: 'own' }];
    await made.cluster.patch('core/pods', 'default', 'p', 'merge', { status: { resourceClaimStatuses } }, 'status');
    await made.settle();
    expect(made.nodeOf('p')).toBe('n1');
  });
});

describe('no two claims get the same device', () => {
  const two = { slices: [slice('n1', ['d'])], claims: [claim('c1'), claim('c2')] };
  const owners = (made: SchedulerLab): string[] => ['c1', 'c2'].filter((name) => devicesOf(made, name).length > 0);

  it('when both are tried at once', async () => {
    const made = await lab(two);
    await made.pod('p', {}, using('c1'));
    await made.pod('q', {}, using('c2'));
    await made.settle();
    expect(owners(made)).toHaveLength(1);
    expect([made.why('p') ?? made.why('q')]).toEqual([expect.stringContaining('2 cannot allocate all claims')]);
  });

  // What a scheduler sends can still come after it was lost: each write in turn is held back until the next scheduler is at work.
  it.each([1, 2])('when the scheduler is lost with its write %i under way', async (nth) => {
    const made = await lab(two);
    const { cluster } = made;
    const update = cluster.update.bind(cluster);
    let late = async (): Promise<unknown> => undefined;
    let writes = 0;
    cluster.update = async (resource, object, subresource) => {
      if (resource !== CLAIMS || ++writes !== nth) return update(resource, object, subresource);
      late = () => update(resource, structuredClone(object), subresource);
      return new Promise<never>(() => {});
    };
    await made.pod('p', {}, using('c1'));
    void made.settle();
    while (writes < nth) await new Promise((resolve) => setImmediate(resolve));
    await cluster.delete('core/pods', 'default', 'p', { gracePeriodSeconds: 0 });
    await made.pod('q', {}, using('c2'));
    await made.restart();
    await made.settle();
    await late().catch(() => {});
    await made.after(2000);
    await made.after(4000);
    expect([owners(made), made.nodeOf('q')]).toEqual([['c2'], 'n1']);
  });

  it.each<[what: string, comes: boolean]>([
    ['it came', true],
    ['it came not', false],
  ])('when nobody knows what became of a write: %s', async (_, comes) => {
    const made = await lab(two);
    const { cluster } = made;
    const update = cluster.update.bind(cluster);
    let late: (() => Promise<unknown>) | undefined;
    cluster.update = async (resource, object, subresource) => {
      if (resource !== CLAIMS || subresource !== 'status' || late !== undefined)
        return update(resource, object, subresource);
      late = () => update(resource, structuredClone(object), subresource);
      throw new Error('connection lost');
    };
    await made.pod('p', {}, using('c1'));
    await made.settle();
    await made.pod('q', {}, using('c2'));
    await made.settle();
    expect(made.nodeOf('q')).toBeUndefined();
    if (comes) await late?.().catch(() => {});
    await made.after(2000);
    await made.after(4000);
    expect([owners(made), made.nodeOf('p'), made.nodeOf('q')]).toEqual([['c1'], 'n1', undefined]);
  });

  it('and what was chosen for a pod that could not be bound is kept for it, or comes free with a refusal', async () => {
    const made = await lab(two);
    const { cluster } = made;
    const update = cluster.update.bind(cluster);
    cluster.update = async (resource, object, subresource) => {
      if (resource === CLAIMS && object.metadata.name === 'c1') {
        throw conflict({ group: 'resource.k8s.io', resource: 'resourceclaims' }, 'c1', 'changed');
      }
      return update(resource, object, subresource);
    };
    await made.pod('p', {}, using('c1'));
    await made.pod('q', {}, using('c2'));
    await made.settle();
    await made.after(2000);
    expect([owners(made), made.nodeOf('p'), made.nodeOf('q')]).toEqual([['c2'], undefined, 'n1']);
  });

  it('and a pod that could not be bound is bound with the devices that it has', async () => {
    const made = await lab({ slices: [slice('n1', ['d']), slice('n2', ['d'])], claims: [claim('c')] });
    let failures = 1;
    made.beforeBind = () => {
      if (failures-- > 0) throw new Error('evicted');
    };
    await made.pod('p', {}, using('c'));
    await made.settle().catch(() => {});
    const before = devicesOf(made, 'c');
    await made.restart();
    await made.settle();
    expect(made.nodeOf('p')).toBeDefined();
    expect(devicesOf(made, 'c')).toEqual(before);
    expect(claimOf(made, 'c')?.status?.reservedFor).toHaveLength(1);
  });
});
