/** Gives running containers and their pod's cgroup the resources that the pod was allocated (upstream's `doPodResizeAction`). */
import type { Container, Pod, ResourceRequirements } from '../../src/generated/types/core.v1.ts';
import type { CriClient } from '../runtime/cri.ts';
import { type PodResources, sameResources, withResources } from './allocation.ts';
import { podMemoryUsage, setPodCgroup } from './cgroups.ts';
import { allContainers, podFullName } from './pod.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { quantity } from './quantity.ts';
import { containerResources, podLimit, podRequest } from './resources.ts';

/** Memory first, as upstream. */
const RESIZABLE = ['memory', 'cpu'] as const;
type Resizable = (typeof RESIZABLE)[number];

/** What a resize needs of the machine. */
export interface ResizeMachine {
  cri: Pick<CriClient, 'updateContainerResources' | 'listContainerStats'>;
  setPodCgroup: typeof setPodCgroup;
  podMemoryUsage: typeof podMemoryUsage;
  /** Bytes. */
  memoryCapacity: number;
}

/** The machine as it is. */
export function resizeMachine(cri: CriClient, memoryCapacity: number): ResizeMachine {
  return { cri, setPodCgroup, podMemoryUsage, memoryCapacity };
}

interface Change {
  container: Container;
  id: string;
  from: ResourceRequirements;
  to: ResourceRequirements;
}

const amount = (resources: ResourceRequirements, half: 'requests' | 'limits', name: Resizable): number =>
  quantity(resources[half]?.[name]);

/** A limit where there is none is endless. */
const limit = (resources: ResourceRequirements, name: Resizable): number =>
  amount(resources, 'limits', name) || Number.POSITIVE_INFINITY;

const differs = ({ from, to }: Pick<Change, 'from' | 'to'>, name: Resizable): boolean =>
  limit(from, name) !== limit(to, name) || amount(from, 'requests', name) !== amount(to, 'requests', name);

const grows = ({ from, to }: Change, name: Resizable): boolean =>
  limit(to, name) === limit(from, name)
    ? amount(to, 'requests', name) > amount(from, 'requests', name)
    : limit(to, name) > limit(from, name);

/** `from` with what `to` says of one resource. */
function withResource(from: ResourceRequirements, to: ResourceRequirements, name: Resizable): ResourceRequirements {
  const half = (which: 'requests' | 'limits'): object => {
    const value = to[which]?.[name];
    const { [name]: _, ...rest } = from[which] ?? {};
    const amounts = value === undefined ? rest : { ...rest, [name]: value };
    return Object.keys(amounts).length === 0 ? {} : { [which]: amounts };
  };
  return { ...from, ...half('requests'), ...half('limits') };
}

/** Containers that run with other resources than `pod`, the allocated one, says. */
function changes(pod: Pod, runtime: PodRuntime, actuated: PodResources): Change[] {
  return allContainers(pod).flatMap((container) => {
    const { name = '', resources: to = {} } = container;
    const latest = runtime.containers.get(name)?.[0];
    const from = actuated.get(name) ?? {};
    if (latest?.state !== 'CONTAINER_RUNNING' || sameResources(from, to)) return [];
    return [{ container, id: latest.id, from, to }];
  });
}

/** Names of the running containers that must be started again to get what they were allocated. */
export function needRestart(pod: Pod, runtime: PodRuntime, actuated: PodResources): Set<string> {
  const restarting = changes(pod, runtime, actuated).filter((change) =>
    (change.container.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === 'RestartContainer' &&
        RESIZABLE.some((name) => name === resourceName && differs(change, name)),
    ),
  );
  return new Set(restarting.map(({ container }) => container.name ?? ''));
}

/**
 * Sets what differs between `actuated` and the allocated `pod`, for all containers that run but the `killed` ones. Answers with each state
 * that was reached, the last one being the allocated one; throws with a sentence for people where it cannot go on.
 */
export async function* actuate(
  machine: ResizeMachine,
  pod: Pod,
  runtime: PodRuntime,
  actuated: PodResources,
  killed: ReadonlySet<string>,
): AsyncGenerator<PodResources> {
  const pending = changes(pod, runtime, actuated).filter(({ container }) => !killed.has(container.name ?? ''));
  const before = withResources(pod, actuated);
  const reached = new Map(actuated);
  for (const name of RESIZABLE) {
    const mine = pending.filter((change) => differs(change, name));
    const was = podLimit(before, name) ?? Number.POSITIVE_INFINITY;
    const will = podLimit(pod, name) ?? Number.POSITIVE_INFINITY;
    const podDiffers = was !== will || podRequest(before, name) !== podRequest(pod, name);
    if (name === 'memory') await checkUsage(machine, pod, mine, will < was ? will : undefined);
    // A pod's limit must never be below its containers': it goes up before them and down after them.
    if (podDiffers && will > was) machine.setPodCgroup(pod, name);
    for (const { container, id, to } of mine.sort((a, b) => Number(grows(a, name)) - Number(grows(b, name)))) {
      const next = withResource(reached.get(container.name ?? '') ?? {}, to, name);
      const step = containerResources(pod, { ...container, resources: next }, machine.memoryCapacity);
      await machine.cri.updateContainerResources(id, step);
      reached.set(container.name ?? '', next);
      yield new Map(reached);
    }
    if (podDiffers && will <= was) machine.setPodCgroup(pod, name);
  }
}

/** Throws when a memory limit would fall below what is in use: the kernel would kill (`validateMemoryResizeAction`). */
async function checkUsage(
  { cri, podMemoryUsage: usageOf }: ResizeMachine,
  pod: Pod,
  pending: readonly Change[],
  podMemoryLimit: number | undefined,
): Promise<void> {
  const shrinking = pending.filter((change) => limit(change.to, 'memory') < limit(change.from, 'memory'));
  if (podMemoryLimit === undefined && shrinking.length === 0) return;
  const errors: string[] = [];
  const check = (what: string, wanted: number, usage: number): void => {
    if (usage >= wanted) {
      errors.push(`attempting to set ${what} memory limit (${Math.floor(wanted)}) below current usage (${usage})`);
    }
  };
  try {
    if (podMemoryLimit !== undefined) check('pod', podMemoryLimit, usageOf(pod));
    const stats = shrinking.length === 0 ? [] : await cri.listContainerStats();
    for (const { container, id, to } of shrinking) {
      const usage = stats.find(({ attributes }) => attributes.id === id)?.memory?.usageBytes?.value;
      if (usage === undefined) errors.push(`missing container "${container.name}" memory usage`);
      else check(`container "${container.name}"`, limit(to, 'memory'), Number(usage));
    }
  } catch {
    throw new Error(`unable to read memory usage for pod "${podFullName(pod)}"`);
  }
  if (errors.length === 0) return;
  throw new Error(
    `cannot decrease memory limits: ${errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`}`,
  );
}
