/** The requests and limits that a LimitRange fills in, and the note of it that upstream leaves on the pod. */
import type { LimitRange, Pod } from '../../generated/types/core.v1.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';
const PREFIX = 'LimitRanger plugin set: ';

type Quantities = Record<string, string>;
type Container = NonNullable<NonNullable<Pod['spec']>['containers']>[number];

/** Fills in place what the containers lack (`mergePodResourceRequirements`). */
export function setDefaults(pod: Pod, range: LimitRange): void {
  const item = range.spec?.limits?.filter(({ type }) => type === 'Container').at(-1);
  if (item === undefined) return;
  const requests = (item.defaultRequest ?? {}) as Quantities;
  const limits = (item.default ?? {}) as Quantities;
  const notes: string[] = [];
  for (const container of pod.spec?.containers ?? []) notes.push(...fill(container, 'container', requests, limits));
  for (const container of pod.spec?.initContainers ?? []) {
    notes.push(...fill(container, 'init container', requests, limits));
  }
  if (notes.length === 0) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: PREFIX + notes.join('; ') };
}

function fill(container: Container, what: string, requests: Quantities, limits: Quantities): string[] {
  container.resources ??= {};
  const { resources } = container;
  const notes: string[] = [];
  for (const [kind, defaults] of [
    ['request', requests],
    ['limit', limits],
  ] as const) {
    const field = `${kind}s` as const;
    const present = (resources[field] ?? {}) as Quantities;
    const missing = Object.keys(defaults)
      .filter((name) => present[name] === undefined)
      .sort();
    if (missing.length === 0) continue;
    resources[field] = { ...present, ...Object.fromEntries(missing.map((name) => [name, defaults[name] as string])) };
    notes.push(`${missing.join(', ')} ${kind} for ${what} ${container.name}`);
  }
  return notes;
}
