/** Priority and fairness: who belongs to which flow, and who is served when not all can be. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { User } from '../../src/api/authentication/user.ts';
import { flowSchemas, priorityLevels } from '../../src/api/bootstrap/flowcontrol.ts';
import { flowSchemaFact, priorityLevelFact } from '../../src/api/flowcontrol/facts.ts';
import { Flows, takeSeat } from '../../src/api/flowcontrol/flows.ts';
import type { Seat } from '../../src/api/flowcontrol/level.ts';
import { FairQueues } from '../../src/api/flowcontrol/queues.ts';
import { handOf, hashOf } from '../../src/api/flowcontrol/shuffle.ts';
import { requestInfo } from '../../src/api/request-info.ts';
import type { FlowFacts, PriorityLevelFact } from '../../src/durable-objects/cluster-rpc.ts';
import type { PolicyRulesWithSubjects, Subject } from '../../src/generated/types/flowcontrol.v1.ts';

const userOf = (name: string, ...groups: string[]): User => ({ name, uid: '', groups, extra: {} });
const infoOf = (method: string, path: string) => requestInfo(method, new URL(`https://api${path}`));
const bootstrap: FlowFacts = {
  schemas: flowSchemas.map(flowSchemaFact),
  levels: priorityLevels.map(priorityLevelFact),
};
const account = (namespace: string, name: string): User =>
  userOf(
    `system:serviceaccount:${namespace}:${name}`,
    'system:serviceaccounts',
    `system:serviceaccounts:${namespace}`,
    'system:authenticated',
  );
const PODS = '/api/v1/namespaces/team/pods';

describe('the flow of a request', () => {
  const node = userOf('system:node:a', 'system:nodes', 'system:authenticated');
  it.each<[string, User, string, string, string]>([
    ['an administrator', userOf('root', 'system:masters', 'system:authenticated'), 'POST', PODS, 'exempt'],
    ['a probe', userOf('system:anonymous', 'system:unauthenticated'), 'GET', '/readyz', 'probes'],
    ['a part of a probe', userOf('system:anonymous', 'system:unauthenticated'), 'GET', '/readyz/ping', 'probes'],
    ['no probe', userOf('system:anonymous', 'system:unauthenticated'), 'GET', '/readyzz', 'global-default'],
    ['a node about itself', node, 'PATCH', '/api/v1/nodes/a/status', 'system-node-high'],
    ['a node about its Lease', node, 'PUT', '/apis/coordination.k8s.io/v1/namespaces/n/leases/a', 'system-node-high'],
    ['a node about pods', node, 'GET', '/api/v1/pods', 'system-nodes'],
    [
      'an election of an account of kube-system',
      account('kube-system', 'x'),
      'PUT',
      '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x',
      'system-leader-election',
    ],
    ['an account of kube-system', account('kube-system', 'x'), 'GET', PODS, 'kube-system-service-accounts'],
    ['an account of a namespace that begins so', account('kube-systems', 'x'), 'GET', PODS, 'service-accounts'],
    ['another account', account('team', 'x'), 'GET', PODS, 'service-accounts'],
    ['a person', userOf('jane', 'system:authenticated'), 'GET', PODS, 'global-default'],
    ['nobody of any group', userOf('jane'), 'GET', PODS, 'catch-all'],
  ])('%s', (_, user, method, path, schema) => {
    expect(new Flows(bootstrap).of(user, infoOf(method, path)).schema.name).toBe(schema);
  });

  it('is the exempt and the catch-all one where the objects have gone', () => {
    const none = new Flows({ schemas: [], levels: [] });
    const flow = none.of(userOf('root', 'system:masters'), infoOf('GET', PODS));
    expect([flow.schema.name, flow.level.isExempt]).toEqual(['exempt', true]);
    expect(none.of(userOf('jane'), infoOf('GET', PODS)).level.name).toBe('catch-all');
  });

  const jane: Subject = { kind: 'User', user: { name: 'jane' } };
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true };
  const schema = (name: string, precedence: number, rules: PolicyRulesWithSubjects[], level = 'catch-all') => ({
    name,
    uid: `uid of ${name}`,
    level,
    precedence,
    rules,
  });
  const rules = (more: object, ...subjects: Subject[]): PolicyRulesWithSubjects => ({
    subjects: subjects.length === 0 ? [jane] : subjects,
    resourceRules: [{ ...everything, ...more }],
  });
  it.each<[string, FlowFacts['schemas'], string]>([
    ['by precedence', [schema('b', 8, [rules({})]), schema('a', 9, [rules({})])], 'b'],
    ['by name where that is equal', [schema('b', 8, [rules({})]), schema('a', 8, [rules({})])], 'a'],
    ['not where its level does not exist', [schema('a', 8, [rules({})], 'gone')], 'catch-all'],
    ['by verb', [schema('a', 8, [rules({ verbs: ['list'] })])], 'catch-all'],
    ['by group', [schema('a', 8, [rules({ apiGroups: ['apps'] })])], 'catch-all'],
    ['by resource with its subresource', [schema('a', 8, [rules({ resources: ['pods'] })])], 'catch-all'],
    ['by subresource', [schema('a', 8, [rules({ resources: ['pods/status'] })])], 'a'],
    ['by namespace', [schema('a', 8, [rules({ namespaces: ['other'] })])], 'catch-all'],
    [
      'not by a rule for others',
      [schema('a', 8, [rules({ verbs: ['list'] }), rules({}, { kind: 'User', user: { name: 'joe' } })])],
      'catch-all',
    ],
    ['by a name of everybody', [schema('a', 8, [rules({}, { kind: 'Group', group: { name: '*' } })])], 'a'],
  ])('is found %s', (_, schemas, found) => {
    const flows = new Flows({ schemas, levels: [] });
    expect(flows.of(userOf('jane'), infoOf('GET', `${PODS}/p/status`)).schema.name).toBe(found);
  });
});

describe('shuffle sharding', () => {
  it('deals a flow the same hand each time, without a card twice', () => {
    const hands = Array.from({ length: 200 }, (_, i) => handOf(hashOf(`flow ${i}`, 7), 64, 6));
    for (const hand of hands) {
      expect(new Set(hand).size).toBe(6);
      expect(hand.every((queue) => queue >= 0 && queue < 64)).toBe(true);
    }
    expect(handOf(hashOf('flow 3', 7), 64, 6)).toEqual(hands[3]);
    // Every queue is somebody's, and no two of these flows have all in common.
    expect(new Set(hands.flat()).size).toBe(64);
    expect(new Set(hands.map((hand) => [...hand].sort().join())).size).toBe(200);
  });

  it('serves queues in turn, and refuses who has filled his', () => {
    const queues = new FairQueues<string>({ queues: 64, handSize: 2, queueLengthLimit: 3 });
    const added = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'].map((name) => queues.add(1, name));
    expect(added).toEqual([true, true, true, true, true, true, false]);
    expect(queues.add(2, 'b1')).toBe(true);
    expect(queues.remove('a1')).toBe(true);
    expect(queues.remove('a1')).toBe(false);
    const order = Array.from({ length: 6 }, () => queues.next());
    expect(order.indexOf('b1')).toBeLessThan(3);
    expect([queues.next(), queues.size]).toEqual([undefined, 0]);
  });
});

describe('a priority level', () => {
  const level = (name: string, shares: number, more: Partial<PriorityLevelFact> = {}): PriorityLevelFact => ({
    name,
    uid: '',
    exempt: false,
    shares,
    lendablePercent: 0,
    ...more,
  });
  const queuing = { queues: 64, handSize: 6, queueLengthLimit: 2 };
  const named = (name: string, levelName: string): FlowFacts['schemas'][number] => ({
    name,
    uid: '',
    level: levelName,
    precedence: 5,
    distinguisher: 'ByUser',
    rules: [
      {
        subjects: [{ kind: 'Group', group: { name } }],
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
      },
    ],
  });
  /** 600 seats by shares of 600: as many seats as shares. */
  const world = (a: Partial<PriorityLevelFact>, b: Partial<PriorityLevelFact> = {}): FlowFacts => ({
    schemas: [named('as', 'a'), named('bs', 'b')],
    levels: [level('a', 3, a), level('b', 4, b), level('catch-all', 593)],
  });
  const info = infoOf('GET', PODS);
  const ask = (flows: Flows, user: User) => takeSeat(flows.of(user, info), user, info);
  const many = (flows: Flows, user: User, count: number) => Array.from({ length: count }, () => ask(flows, user));
  const kinds = (seats: unknown[]) =>
    seats.map((seat) => (seat === undefined ? 'no' : seat instanceof Promise ? 'later' : 'now')).join(' ');

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('serves as many as it has seats, and refuses the others', () => {
    const flows = new Flows(world({ borrowingLimitPercent: 0 }));
    const user = userOf('u', 'as');
    const seats = many(flows, user, 5);
    expect(kinds(seats)).toBe('now now now no no');
    flows.of(user, info).level.release(seats[0] as Seat);
    expect(kinds(many(flows, user, 2))).toBe('now no');
  });

  it('lets a calm user in before those who wait for a flooding one', async () => {
    const flows = new Flows(world({ queuing, borrowingLimitPercent: 0 }));
    const flood = userOf('flood', 'as');
    const calm = userOf('calm', 'as');
    const seats = many(flows, flood, 16);
    expect(kinds(seats)).toBe(`now now now${' later'.repeat(12)} no`);
    const order: string[] = [];
    const waiting = seats.flatMap((seat) => (seat instanceof Promise ? seat.then(() => order.push('flood')) : []));
    const calmly = (ask(flows, calm) as Promise<Seat>).then((seat) => {
      order.push('calm');
      return seat;
    });
    const { level: a } = flows.of(flood, info);
    // Each of the flooding user's six queues may have its turn before, and none its second.
    for (let i = 0; i < 7; i++) a.release(seats[0] as Seat);
    expect(await calmly).toBe(seats[0]);
    expect([order.length, a.executing, a.inQueue]).toEqual([7, 3, 6]);
    for (let i = 0; i < 9; i++) a.release(seats[0] as Seat);
    await Promise.all(waiting);
    expect([a.executing, a.inQueue]).toEqual([0, 0]);
  });

  it('refuses who has waited for a quarter of a minute', async () => {
    const flows = new Flows(world({ queuing, borrowingLimitPercent: 0 }));
    const seats = many(flows, userOf('u', 'as'), 4);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(flows.of(userOf('u', 'as'), info).level.inQueue).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await seats[3]).toBeUndefined();
    expect(flows.of(userOf('u', 'as'), info).level.inQueue).toBe(0);
  });

  it('forgets seats that nobody gives back', async () => {
    const flows = new Flows(world({ borrowingLimitPercent: 0 }));
    const user = userOf('u', 'as');
    const [first] = many(flows, user, 3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask(flows, user)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    const { level: a } = flows.of(user, info);
    expect(kinds(many(flows, user, 4))).toBe('now now now no');
    a.release(first as Seat);
    expect(a.executing).toBe(3);
  });

  it.each<[string, Partial<PriorityLevelFact>, Partial<PriorityLevelFact>, number]>([
    ['nothing where nobody lends', {}, {}, 3],
    ['what another may lend', {}, { lendablePercent: 50 }, 5],
    ['no more than it may', { borrowingLimitPercent: 34 }, { lendablePercent: 100 }, 4],
  ])('borrows %s', (_, a, b, most) => {
    const flows = new Flows(world(a, b));
    const seats = many(flows, userOf('u', 'as'), 10);
    expect(seats.filter((seat) => seat !== undefined)).toHaveLength(most);
    // Whose seats they are has all of them nevertheless, and lends no more.
    expect(kinds(many(flows, userOf('v', 'bs'), 5))).toBe('now now now now no');
    flows.of(userOf('u', 'as'), info).level.release(seats[0] as Seat);
    expect(kinds([ask(flows, userOf('u', 'as'))])).toBe(most === 3 ? 'now' : 'no');
  });

  it('goes on when it is configured anew', async () => {
    const before = new Flows(world({ queuing, borrowingLimitPercent: 0 }));
    const user = userOf('u', 'as');
    const seats = many(before, user, 5);
    const wider = world({ queuing, borrowingLimitPercent: 0 });
    const after = new Flows({ ...wider, levels: [level('a', 300, { queuing }), level('b', 300)] }, before);
    const { level: a } = after.of(user, info);
    expect([a.executing, a.inQueue]).toEqual([3, 2]);
    expect(kinds([ask(after, user)])).toBe('now');
    await Promise.all(seats);
    expect([a.executing, a.inQueue]).toEqual([6, 0]);
  });
});
