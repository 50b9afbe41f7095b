/** Pod cgroups `kubepods/<qos>/pod<uid>`, on cgroup v1 (each controller its own hierarchy) and v2 (one hierarchy). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../src/generated/types/core.v1.ts';
import { cpuQuota, cpuShares, podLimit, podRequest, type QosClass, qosClass } from './resources.ts';

const ROOT = '/sys/fs/cgroup';
const PERIOD = 100_000;

/** Whether the machine has the unified hierarchy only. */
const unified = (): boolean => existsSync(join(ROOT, 'cgroup.controllers'));

/** Every hierarchy's mount point. */
function hierarchies(): string[] {
  if (unified()) return [ROOT];
  return readdirSync(ROOT)
    .map((name) => join(ROOT, name))
    .filter((path) => statSync(path).isDirectory());
}

/** The pod's cgroup, relative to each hierarchy; guaranteed pods are directly below `/kubepods`. */
export function podCgroup(qos: QosClass, uid: string): string {
  return qos === 'Guaranteed' ? `/kubepods/pod${uid}` : `/kubepods/${qos.toLowerCase()}/pod${uid}`;
}

function write(path: string, value: string | number): void {
  try {
    writeFileSync(path, String(value));
  } catch {
    // A controller that this machine lacks limits nothing; the containers' own limits still hold.
  }
}

function makeV1(path: string, values: Record<string, Record<string, number>>): void {
  for (const [controller, files] of Object.entries(values)) {
    const base = join(ROOT, controller);
    if (!existsSync(base)) continue;
    mkdirSync(join(base, path), { recursive: true });
    for (const [file, value] of Object.entries(files)) write(join(base, path, file), value);
  }
}

function makeV2(path: string, values: Record<string, string | number>): void {
  let current = ROOT;
  for (const part of path.split('/').filter((name) => name !== '')) {
    for (const controller of ['cpu', 'memory', 'pids', 'cpuset', 'io']) {
      write(join(current, 'cgroup.subtree_control'), `+${controller}`);
    }
    current = join(current, part);
    mkdirSync(current, { recursive: true });
  }
  for (const [file, value] of Object.entries(values)) write(join(current, file), value);
}

/** Shares of cgroup v1 (2..262144) as a weight of v2 (1..10000). */
const weight = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);

const cpuMax = (quota: number): string => (quota < 0 ? `max ${PERIOD}` : `${quota} ${PERIOD}`);

/** A quota of -1 and a memory of 0 are no limits. */
function podValues(pod: Pod): { shares: number; quota: number; memory: number } {
  return {
    shares: qosClass(pod) === 'BestEffort' ? 2 : cpuShares(podRequest(pod, 'cpu')),
    quota: cpuQuota(podLimit(pod, 'cpu') ?? 0) ?? -1,
    memory: Math.floor(podLimit(pod, 'memory') ?? 0),
  };
}

/** Makes the pod's cgroup, the `cgroup_parent` of its containers, with its limits. */
export function createPodCgroup(pod: Pod, maxPids: number): void {
  const qos = qosClass(pod);
  const path = podCgroup(qos, pod.metadata.uid ?? '');
  const { shares, quota, memory } = podValues(pod);
  if (unified()) {
    makeV2(path, {
      'cpu.weight': weight(shares),
      'cpu.max': cpuMax(quota),
      'memory.max': memory > 0 ? memory : 'max',
      'pids.max': maxPids,
    });
  } else {
    if (qos === 'BestEffort') makeV1('/kubepods/besteffort', { cpu: { 'cpu.shares': 2 } });
    makeV1(path, {
      cpu: { 'cpu.shares': shares, 'cpu.cfs_period_us': PERIOD, 'cpu.cfs_quota_us': quota },
      memory: memory > 0 ? { 'memory.limit_in_bytes': memory } : {},
      pids: { 'pids.max': maxPids },
    });
  }
}

/**
 * Sets how much of one resource the pod may have and is owed, while it runs. Throws where the kernel refuses: memory that is in use, a limit
 * below that of a container.
 */
export function setPodCgroup(pod: Pod, resource: 'cpu' | 'memory'): void {
  const path = podCgroup(qosClass(pod), pod.metadata.uid ?? '');
  const { shares, quota, memory } = podValues(pod);
  const files: [string, string | number][] =
    resource === 'memory'
      ? [unified() ? ['memory.max', memory > 0 ? memory : 'max'] : ['memory.limit_in_bytes', memory > 0 ? memory : -1]]
      : unified()
        ? [
            ['cpu.weight', weight(shares)],
            ['cpu.max', cpuMax(quota)],
          ]
        : [
            ['cpu.shares', shares],
            ['cpu.cfs_quota_us', quota],
          ];
  const folder = unified() ? join(ROOT, path) : join(ROOT, resource, path);
  // What createPodCgroup could not make limits nothing.
  if (existsSync(folder)) for (const [file, value] of files) writeFileSync(join(folder, file), String(value));
}

/** Bytes that the pod uses, with what the kernel caches for it. Throws where nobody counts. */
export function podMemoryUsage(pod: Pod): number {
  const path = podCgroup(qosClass(pod), pod.metadata.uid ?? '');
  const file = unified() ? join(ROOT, path, 'memory.current') : join(ROOT, 'memory', path, 'memory.usage_in_bytes');
  return Number(readFileSync(file, 'utf8'));
}

function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(path, entry.name));
    }
    rmdirSync(path);
  } catch {
    // Already gone, or a process is on its way out: the next clean-up takes it.
  }
}

/** Removes the pod's cgroup from every hierarchy; whatever is still busy stays for the next time. */
export function removePodCgroup(uid: string): void {
  for (const hierarchy of hierarchies()) {
    for (const qos of ['Guaranteed', 'Burstable', 'BestEffort'] as const) {
      const path = join(hierarchy, podCgroup(qos, uid));
      if (existsSync(path)) removeTree(path);
    }
  }
}
