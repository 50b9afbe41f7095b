/** What containers and the machine use: sampled every 15 s, told as the kubelet's `stats/summary` tells it. */
import { readFileSync } from 'node:fs';
import { formatDuration } from '../../src/apimachinery/duration.ts';
import { microNow } from '../../src/apimachinery/meta.ts';
import type { CpuStats, MemoryStats, PodStats, Summary } from '../../src/apimachinery/stats-summary.ts';
import type { CriClient } from '../runtime/cri.ts';
import type { ContainerStats } from '../runtime/cri-types.ts';
import type { Log, Running } from '../types.ts';
import { LABELS } from './pod-runtime.ts';

const EVERY_MS = 15_000;
/** Of `/proc/stat`: ticks of a hundredth of a second, on every Linux that Node.js runs on. */
const TICK_NS = 10_000_000;
/** `user nice system idle iowait irq softirq steal`; time in guests is in `user` already. */
const BUSY = [0, 1, 2, 5, 6, 7];

/** How much CPU was used up to a time, in ns; the time in ms. */
interface Usage {
  at: number;
  cpu: number;
}

interface Sample {
  node: Usage;
  memory: MemoryStats;
  containers: Map<string, ContainerStats>;
}

/** Keeps the last two samples: use is what changed between them. */
export class StatsCollector {
  readonly #cri: Pick<CriClient, 'listContainerStats'>;
  readonly #log: Log;
  readonly #nodeName: string;
  readonly #machine: () => { node: Usage; memory: MemoryStats };
  #before: Sample | undefined;
  #last: Sample | undefined;

  constructor(cri: Pick<CriClient, 'listContainerStats'>, nodeName: string, log: Log, machine = readMachine) {
    this.#cri = cri;
    this.#nodeName = nodeName;
    this.#log = log;
    this.#machine = machine;
  }

  /** Samples until it is stopped. */
  start(): Running {
    let stopped = false;
    let timer: NodeJS.Timeout | undefined;
    const tick = async (): Promise<void> => {
      await this.sample().catch((error: unknown) => this.#log.debug('no statistics', { error }));
      if (!stopped) timer = setTimeout(() => void tick(), EVERY_MS).unref();
    };
    void tick();
    return {
      async stop() {
        stopped = true;
        clearTimeout(timer);
      },
    };
  }

  /** Takes a sample. */
  async sample(): Promise<void> {
    const stats = await this.#cri.listContainerStats();
    const containers = new Map(stats.map((container) => [container.attributes.id, container]));
    this.#before = this.#last;
    this.#last = { ...this.#machine(), containers };
  }

  /** Containers of which there are two samples, and the machine. */
  summary(): Summary {
    const [before, last] = [this.#before, this.#last];
    const node = { nodeName: this.#nodeName, ...(last === undefined ? {} : { memory: last.memory }) };
    if (before === undefined || last === undefined) return { node, pods: [] };
    const pods = new Map<string, PodStats>();
    for (const [id, container] of last.containers) {
      const cpu = cpuOf(before.containers.get(id), container);
      if (cpu === undefined) continue;
      const { labels, metadata } = container.attributes;
      const uid = labels[LABELS.podUid] ?? '';
      const podRef = { name: labels[LABELS.podName] ?? '', namespace: labels[LABELS.podNamespace] ?? '', uid };
      const pod = pods.get(uid) ?? { podRef, containers: [] };
      pod.containers.push({ name: labels[LABELS.container] ?? metadata.name, cpu, memory: memoryOf(container) });
      pods.set(uid, pod);
    }
    return { node: { ...node, cpu: rate(before.node, last.node) }, pods: [...pods.values()] };
  }
}

function cpuOf(before: ContainerStats | undefined, last: ContainerStats): CpuStats | undefined {
  const [from, to] = [usageOf(before), usageOf(last)];
  // The runtime answers from a cache of its own: without a newer reading there is no rate.
  if (from === undefined || to === undefined || to.at <= from.at || to.cpu < from.cpu) return undefined;
  return rate(from, to);
}

/** The CPU that a container used; undefined where the runtime does not say. */
function usageOf(stats: ContainerStats | undefined): Usage | undefined {
  const used = stats?.cpu?.usageCoreNanoSeconds?.value;
  return stats?.cpu === undefined || used === undefined
    ? undefined
    : { at: Number(stats.cpu.timestamp) / 1e6, cpu: Number(used) };
}

function rate(from: Usage, to: Usage): CpuStats {
  const ms = to.at - from.at;
  return {
    time: microNow(to.at),
    window: formatDuration(Math.round(ms)),
    usageNanoCores: Math.max(0, Math.round(((to.cpu - from.cpu) * 1000) / ms)),
    usageCoreNanoSeconds: to.cpu,
  };
}

function memoryOf({ memory }: ContainerStats): MemoryStats {
  const number = (value: { value: string } | undefined): number => Number(value?.value ?? 0);
  return {
    time: microNow(Number(memory?.timestamp ?? 0) / 1e6),
    usageBytes: number(memory?.usageBytes),
    workingSetBytes: number(memory?.workingSetBytes),
    rssBytes: number(memory?.rssBytes),
  };
}

/** All that runs on the machine. */
function readMachine(): { node: Usage; memory: MemoryStats } {
  const at = Date.now();
  const ticks = (/^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '').split(' ').map(Number);
  const cpu = BUSY.reduce((sum, field) => sum + (ticks[field] ?? 0), 0) * TICK_NS;
  const info = readFileSync('/proc/meminfo', 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(info)?.[1] ?? 0) * 1024;
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')];
  const memory = {
    time: microNow(at),
    availableBytes: available,
    usageBytes: total - bytes('MemFree'),
    workingSetBytes: total - available,
  };
  return { node: { at, cpu }, memory };
}
