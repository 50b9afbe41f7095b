/** The cluster's snapshot as an isolate keeps it: indexed, at most a second old. */
import { createLocalJWKSet } from 'jose';
import { unauthorized } from '../apimachinery/errors.ts';
import type { ClusterRpc, ClusterSnapshot, NamespaceFact } from '../durable-objects/cluster-rpc.ts';
import { Hooks } from './admission/hooks/hooks.ts';
import { forgetFrontProxy } from './aggregation/front-proxy.ts';
import { RemoteServices } from './aggregation/remote-services.ts';
import { NODE_PREFIX } from './authentication/user.ts';
import { Authorizer } from './authorization/authorizer.ts';
import { CustomResources } from './custom-resources.ts';
import { Flows } from './flowcontrol/flows.ts';
import { unwrap } from './respond.ts';

/** How old a copy may be, in ms. */
const MAX_AGE = 1000;

export interface Snapshot {
  version: number;
  issuer: string;
  /** Of the issuer's URL; empty where it has none. */
  issuerPath: string;
  keys: ClusterSnapshot['keys'];
  keySet: ReturnType<typeof createLocalJWKSet>;
  /** Another when other tokens are to be believed. */
  trust: string;
  /** The ids of the cluster's CAs, the one that signs first. */
  authorities: string;
  /** When nodes were removed, in seconds since the epoch, by the names of their users. */
  removed: ReadonlyMap<string, number>;
  namespaces: ReadonlyMap<string, NamespaceFact>;
  authorizer: Authorizer;
  /** Namespaces that have ResourceQuotas. */
  quotas: ReadonlySet<string>;
  custom: CustomResources;
  hooks: Hooks;
  remote: RemoteServices;
  flows: Flows;
}

/** Indexes what the Cluster object sent; `before` is what it had sent last. */
export function compile(facts: ClusterSnapshot, before?: Snapshot): Snapshot {
  return {
    version: facts.version,
    issuer: facts.issuer,
    issuerPath: new URL(facts.issuer).pathname.replace(/\/$/, ''),
    keys: facts.keys,
    keySet: createLocalJWKSet({ keys: facts.keys.map((key) => ({ ...key })) }),
    trust: [facts.issuer, ...facts.keys.map(({ kid }) => kid), removals(facts)].join(' '),
    authorities: facts.authorities,
    removed: new Map(facts.removedNodes.map(({ name, at }) => [NODE_PREFIX + name, at])),
    namespaces: new Map(facts.namespaces.map((ns) => [ns.name, ns])),
    authorizer: new Authorizer(facts.roles, facts.bindings),
    quotas: new Set(facts.quotas),
    custom: new CustomResources(facts.definitions),
    hooks: new Hooks(facts.hooks),
    remote: new RemoteServices(facts.remoteServices),
    flows: new Flows(facts.flows, before?.flows),
  };
}

/** Another when a node has been removed: short, for it is part of what each request looks its token up by. */
const removals = ({ removedNodes }: ClusterSnapshot): string =>
  `${removedNodes.length} ${Math.max(0, ...removedNodes.map(({ at }) => at))}`;

interface Entry {
  snapshot: Snapshot;
  checkedAt: number;
  /** This isolate has written something that the snapshot is made of. */
  stale: boolean;
  /** So often it has. */
  drops: number;
}

/** Snapshots by cluster. */
export class SnapshotCache {
  private readonly entries = new Map<string, Entry>();

  /** The snapshot; asks the Cluster object when the copy is older than a second. Throws Unauthorized where there is no such cluster. */
  get(name: string, cluster: ClusterRpc): Snapshot | Promise<Snapshot> {
    const entry = this.entries.get(name);
    if (entry === undefined) return this.load(name, cluster);
    if (Date.now() - entry.checkedAt < MAX_AGE) return entry.snapshot;
    // Promises must not be shared between requests in a Worker: each that finds the copy stale asks for itself.
    return this.load(name, cluster);
  }

  /** After a write that the snapshot is made of: the next request sees it. */
  drop(name: string): void {
    const entry = this.entries.get(name);
    if (entry !== undefined) Object.assign(entry, { checkedAt: 0, stale: true, drops: entry.drops + 1 });
  }

  private async load(name: string, cluster: ClusterRpc): Promise<Snapshot> {
    const known = this.entries.get(name);
    const { drops = 0 } = known ?? {};
    const startedAt = Date.now();
    const facts = await cluster.snapshot(known?.snapshot.version ?? -1, known?.stale ?? false);
    const before = this.entries.get(name)?.snapshot;
    const snapshot = facts === null ? known?.snapshot : compile(unwrap(facts), before);
    // Whoever asks for a cluster that is not there is nobody's client.
    if (snapshot === undefined) throw unauthorized();
    if (snapshot.authorities !== before?.authorities) forgetFrontProxy(name);
    // What was written while this was on its way is not in it.
    const dropped = this.entries.get(name)?.drops ?? 0;
    const stale = dropped !== drops;
    this.entries.set(name, { snapshot, checkedAt: stale ? 0 : startedAt, stale, drops: dropped });
    return snapshot;
  }
}

/** Kept by the isolate, for all its requests. */
export const snapshots = new SnapshotCache();
