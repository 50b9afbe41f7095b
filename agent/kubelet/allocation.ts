/** What a pod's containers were given and have by now (upstream's allocated and actuated state), kept beside the pod's volumes. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareQuantity } from '../../src/apimachinery/quantity.ts';
import type { Container, Pod, ResourceRequirements } from '../../src/generated/types/core.v1.ts';
import { allContainers, keptStatus } from './pod.ts';

/** Resources by container name, and the pod's own under the empty name, which no container has. */
export type PodResources = ReadonlyMap<string, ResourceRequirements>;

export interface Allocation {
  /** What the node has promised; it may be less than the spec asks for. */
  allocated: PodResources;
  /** What containers and cgroups were last set to; it follows `allocated`. */
  actuated: PodResources;
}

const POD = '';
const FILE = 'resources.json';

/** What the pod's spec asks for. */
export function resourcesOf(pod: Pod): PodResources {
  const own = pod.spec?.resources;
  const containers = allContainers(pod).map((one): [string, ResourceRequirements] => [
    one.name ?? '',
    one.resources ?? {},
  ]);
  return new Map(own === undefined ? containers : [[POD, own], ...containers]);
}

/** The pod with other resources in its spec (`UpdatePodFromAllocation`). */
export function withResources(pod: Pod, resources: PodResources): Pod {
  if (pod.spec === undefined) return pod;
  const own = resources.get(POD);
  const change = (container: Container): Container => {
    const given = resources.get(container.name ?? '');
    return given === undefined ? container : { ...container, resources: given };
  };
  const { containers = [], initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(own === undefined ? {} : { resources: own }),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(change) }),
      containers: containers.map(change),
    },
  };
}

/** Whether both ask for the same amounts, however those are written. */
export function sameResources(a: ResourceRequirements = {}, b: ResourceRequirements = {}): boolean {
  return (['requests', 'limits'] as const).every((half) => {
    const [x, y] = [a[half] ?? {}, b[half] ?? {}];
    const names = Object.keys(x);
    if (names.length !== Object.keys(y).length) return false;
    return names.every((name) => Object.hasOwn(y, name) && compareQuantity(x[name] ?? '0', y[name] ?? '0') === 0);
  });
}

/** {@link sameResources} of all containers and the pod. */
export function samePodResources(a: PodResources, b: PodResources): boolean {
  return [...new Set([...a.keys(), ...b.keys()])].every((name) => sameResources(a.get(name), b.get(name)));
}

/** The allocation of a pod that is admitted: all that it asks for. */
export function fullAllocation(pod: Pod): Allocation {
  const asked = resourcesOf(pod);
  return { allocated: asked, actuated: asked };
}

/**
 * The allocation of a pod that ran before this agent did. Without a readable file the API server's status says what was given: the runtime
 * cannot tell requests from what they were rounded to.
 */
export function loadAllocation(folder: string, pod: Pod): Allocation {
  try {
    const { allocated, actuated } = JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Record<
      keyof Allocation,
      [string, ResourceRequirements][]
    >;
    return { allocated: new Map(allocated), actuated: new Map(actuated) };
  } catch {
    const asked = resourcesOf(pod);
    const told = [...asked].map(([name, resources]): [string, ResourceRequirements] => [
      name,
      keptStatus(pod, name)?.resources ?? resources,
    ]);
    return { allocated: new Map(told), actuated: new Map(told) };
  }
}

/** Writes the allocation into the pod's folder, whole or not at all. */
export function saveAllocation(folder: string, { allocated, actuated }: Allocation): void {
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  const file = join(folder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify({ allocated: [...allocated], actuated: [...actuated] }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
