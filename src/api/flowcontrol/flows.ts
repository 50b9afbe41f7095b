/** Which flow a request belongs to, and the seats of its priority level: a cluster's flow schemas and levels, as one isolate has them. */
import type { FlowFacts, FlowSchemaFact, PriorityLevelFact } from '../../durable-objects/cluster-rpc.ts';
import type { User } from '../authentication/user.ts';
import { flowSchemas, priorityLevels } from '../bootstrap/flowcontrol.ts';
import type { RequestInfo } from '../request-info.ts';
import { flowSchemaFact, priorityLevelFact } from './facts.ts';
import { type Neighbours, PriorityLevel, type Seat } from './level.ts';
import { covers, isFor } from './match.ts';
import { hashOf } from './shuffle.ts';

/** Upstream's `--max-requests-inflight` and `--max-mutating-requests-inflight` together: the seats of all levels. */
const SERVER_SEATS = 600;
/** Every cluster has them, whatever becomes of the objects (`MandatoryFlowSchemas`). */
const MANDATORY = new Set(['exempt', 'catch-all']);

/** A flow schema with its level. */
export interface Flow {
  schema: FlowSchemaFact;
  levelUid: string;
  level: PriorityLevel;
}

export class Flows {
  /** By precedence. */
  private readonly flows: readonly Flow[];
  private readonly seats: Seats;
  /** Users of known tokens are the same object each time. */
  private readonly byUser = new WeakMap<User, readonly Flow[]>();

  /** `before` has the seats and queues of the cluster's earlier configuration, which go on. */
  constructor(facts: FlowFacts, before?: Flows) {
    const levels = withMandatory(facts.levels, priorityLevels.map(priorityLevelFact));
    const schemas = withMandatory(facts.schemas, flowSchemas.map(flowSchemaFact));
    this.seats = before?.seats ?? new Seats();
    this.seats.configure(levels);
    const uids = new Map(levels.map(({ name, uid }) => [name, uid]));
    schemas.sort((a, b) => a.precedence - b.precedence || (a.name < b.name ? -1 : 1));
    this.flows = schemas.flatMap((schema) => {
      const levelUid = uids.get(schema.level);
      const level = this.seats.level(schema.level);
      // One whose level does not exist is not looked at, as upstream's.
      return level === undefined || levelUid === undefined ? [] : { schema, levelUid, level };
    });
  }

  /** The flow of a request: of the first schema that is meant for it. */
  of(user: User, info: RequestInfo): Flow {
    let flows = this.byUser.get(user);
    if (flows === undefined) {
      flows = this.flows.filter(({ schema }) => schema.rules.some((rules) => isFor(rules, user)));
      this.byUser.set(user, flows);
    }
    for (const flow of flows) {
      for (const rules of flow.schema.rules) {
        if (covers(rules, info) && (flow.schema.rules.length === 1 || isFor(rules, user))) return flow;
      }
    }
    return this.flows.at(-1) as Flow;
  }
}

/** Which queues a request of a flow may wait in; asked only when it has to. */
export function flowHash({ schema }: Flow, user: User, { namespace }: RequestInfo): number {
  const by = schema.distinguisher;
  const distinguisher = by === 'ByUser' ? user.name : by === 'ByNamespace' ? namespace : '';
  return hashOf(`${schema.name},${distinguisher}`);
}

/** Takes a seat for a request of a flow: at once, after a wait, or undefined where it must be refused. */
export function takeSeat(flow: Flow, user: User, info: RequestInfo): Seat | undefined | Promise<Seat | undefined> {
  return flow.level.take() ?? flow.level.wait(flowHash(flow, user, info));
}

function withMandatory<T extends { name: string }>(facts: readonly T[], defaults: readonly T[]): T[] {
  const names = new Set(facts.map(({ name }) => name));
  return [...facts, ...defaults.filter(({ name }) => MANDATORY.has(name) && !names.has(name))];
}

/** The seats of a cluster's levels. A level has its own whenever it asks; what others lend it are seats that they do not use now. */
class Seats implements Neighbours {
  waiting = 0;
  private readonly byName = new Map<string, PriorityLevel>();

  level(name: string): PriorityLevel | undefined {
    return this.byName.get(name);
  }

  configure(facts: readonly PriorityLevelFact[]): void {
    const shares = facts.reduce((sum, { shares }) => sum + shares, 0) || 1;
    const names = new Set(facts.map(({ name }) => name));
    for (const [name, level] of this.byName) {
      // One that has gone is forgotten when nobody of it waits or is served.
      if (!names.has(name) && level.executing + level.inQueue === 0) this.byName.delete(name);
    }
    for (const fact of facts) {
      const level = this.byName.get(fact.name) ?? new PriorityLevel(fact.name, this);
      const nominal = Math.ceil((SERVER_SEATS * fact.shares) / shares);
      const part = (percent: number): number => Math.round((nominal * percent) / 100);
      const { lendablePercent, borrowingLimitPercent: borrowing } = fact;
      const most = borrowing === undefined ? SERVER_SEATS : nominal + part(borrowing);
      level.configure(fact, { nominal, lendable: part(lendablePercent), most });
      this.byName.set(fact.name, level);
    }
  }

  canLendTo(level: PriorityLevel): boolean {
    let free = 0;
    for (const other of this.byName.values()) free += (other === level ? 0 : other.unused) - other.borrowed;
    return free > 0;
  }

  dispatch(): void {
    for (const level of this.byName.values()) level.dispatch();
  }
}
