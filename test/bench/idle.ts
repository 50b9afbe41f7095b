/** What a cluster costs in which nothing changes: rows written, requests, and how long its Durable Objects are in memory. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as passing } from 'node:timers/promises';
import { type ControlPlane, runtimePid, startControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from './client.ts';
import type { Figures } from './figures.ts';

const NODES = 3;
const DEPLOYMENTS = 50;
const PODS = 30;
const APPS = '/apis/apps/v1/namespaces/default/deployments';
/** What follows the last change: history that is compacted, the first ticks, objects that are evicted. */
const SETTLE_MS = 90_000;
const LOOK_EVERY_MS = 500;
const READY_MS = 120_000;
const POLICY =
  'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Metadata, omitStages: [RequestReceived]}\n';

interface AuditEvent {
  verb: string;
  stageTimestamp: string;
  objectRef?: { resource: string; subresource?: string };
}

/** Of Leases of nodes, and of nodes themselves, whose agents report every five minutes. */
const HEARTBEAT_KEY = /^kube-node-lease\/|^sim-\d+$/;
const isHeartbeat = (ref: AuditEvent['objectRef']): boolean =>
  ref?.resource === 'leases' || (ref?.resource === 'nodes' && ref.subresource === 'status');

/** Leaves a cluster of 50 Deployments, 30 pods and 3 simulated nodes alone for so many minutes. */
export async function measureIdle(figures: Figures, minutes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zeroplane-idle-'));
  const log = join(folder, 'audit.log');
  writeFileSync(join(folder, 'policy.yaml'), POLICY);
  const args = ['--audit-policy-file', join(folder, 'policy.yaml'), '--audit-log-path', log];
  const plane = await startControlPlane({ nodes: `simulated=${NODES}`, args });
  try {
    await populate(plane);
    await passing(SETTLE_MS);
    const started = Date.now();
    const awake = await watchMemory(plane, minutes * 60_000);
    const rows = rowsSince(plane.data, started);
    const requests = requestsSince(log, started);
    figures.add({ name: `idle for ${minutes} min: rows written by heartbeats`, value: rows.heartbeats, unit: 'rows' });
    figures.add({ name: 'idle: rows written otherwise', value: rows.others, unit: 'rows' });
    figures.add({ name: 'idle: requests of heartbeats', value: requests.heartbeats, unit: 'requests' });
    figures.add({ name: 'idle: other requests', value: requests.others, unit: 'requests' });
    for (const [kind, ms] of awake) figures.add({ name: `idle: ${kind} objects in memory`, value: ms, unit: 'ms' });
  } finally {
    await plane.stop();
    rmSync(folder, { recursive: true });
  }
}

async function populate(plane: ControlPlane): Promise<void> {
  const client = new BenchClient(plane, 8);
  const ready = async (): Promise<number> => {
    const { text } = await client.send('GET', '/api/v1/namespaces/default/pods?fieldSelector=status.phase%3DRunning');
    return (JSON.parse(text) as { items: unknown[] }).items.length;
  };
  try {
    for (let i = 0; i < DEPLOYMENTS; i++) {
      const labels = { app: `idle-${i}` };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'registry.example/app:1' }] } };
      const spec = { replicas: i < PODS ? 1 : 0, selector: { matchLabels: labels }, template };
      await client.send('POST', APPS, { metadata: { name: `idle-${i}` }, spec });
    }
    for (const deadline = Date.now() + READY_MS; (await ready()) < PODS; await passing(LOOK_EVERY_MS)) {
      if (Date.now() > deadline) throw new Error(`the ${PODS} pods of the idle cluster do not run`);
    }
  } finally {
    client.close();
  }
}

/** For how long objects of each class were in memory, all of a class together: those whose database the runtime holds open. */
async function watchMemory(plane: ControlPlane, forMs: number): Promise<Map<string, number>> {
  const runtime = runtimePid(plane);
  const classes = readdirSync(join(plane.data, 'state')).map((name) => [name, name.replace(/^.*-/, '')] as const);
  const total = new Map(classes.map(([, kind]) => [kind, 0]));
  let before = Date.now();
  for (const until = before + forMs; before < until; ) {
    await passing(LOOK_EVERY_MS);
    const now = Date.now();
    const open = new Set(
      filesOf(runtime).filter((file) => file.endsWith('.sqlite') && !file.endsWith('metadata.sqlite')),
    );
    for (const [name, kind] of classes) {
      const count = [...open].filter((file) => file.includes(`/${name}/`)).length;
      total.set(kind, (total.get(kind) ?? 0) + count * (now - before));
    }
    before = now;
  }
  return total;
}

function filesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // Closed meanwhile.
    }
  });
}

/** Rows that stores have written since: two for each change. */
function rowsSince(data: string, since: number): { heartbeats: number; others: number } {
  const folder = join(data, 'state', 'zeroplane-ResourceStore');
  const rows = { heartbeats: 0, others: 0 };
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.sqlite') || file === 'metadata.sqlite') continue;
    const database = new DatabaseSync(join(folder, file), { readOnly: true, timeout: 5000 });
    try {
      for (const { key } of database.prepare('SELECT key FROM log WHERE at >= ?').all(since)) {
        rows[HEARTBEAT_KEY.test(String(key)) ? 'heartbeats' : 'others'] += 2;
      }
    } finally {
      database.close();
    }
  }
  return rows;
}

function requestsSince(log: string, since: number): { heartbeats: number; others: number } {
  const requests = { heartbeats: 0, others: 0 };
  for (const line of readFileSync(log, 'utf8').split('\n').filter(Boolean)) {
    const { objectRef, stageTimestamp } = JSON.parse(line) as AuditEvent;
    if (Date.parse(stageTimestamp) < since) continue;
    requests[isHeartbeat(objectRef) ? 'heartbeats' : 'others']++;
  }
  return requests;
}
