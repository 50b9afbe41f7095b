/** What columns of many kinds have in common. */
import { ageSince } from '../../apimachinery/duration.ts';
import { formatLabelSelector, type LabelSelector } from '../../apimachinery/labels.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Column } from '../resource.ts';

export const NONE = '<none>';
export const UNSET = '<unset>';
export const UNKNOWN = '<unknown>';

type Cell<T extends KubeObject> = Column<T>['cell'];

function column<T extends KubeObject>(type: Column<T>['type'], name: string, cell: Cell<T>): Column<T> {
  return { name, type, cell };
}

/** A column of texts. */
export function text<T extends KubeObject>(name: string, cell: Cell<T>): Column<T> {
  return column('string', name, cell);
}

/** A column of whole numbers. */
export function integer<T extends KubeObject>(name: string, cell: Cell<T>): Column<T> {
  return column('integer', name, cell);
}

/** A column of truth values. */
export function boolean<T extends KubeObject>(name: string, cell: Cell<T>): Column<T> {
  return column('boolean', name, cell);
}

/** The same column, shown only with `-o wide`. */
export function wide<T extends KubeObject>(narrow: Column<T>): Column<T> {
  return { ...narrow, priority: 1 };
}

/** The same cell, without a column in the table's head. */
export function untitled<T extends KubeObject>(titled: Column<T>): Column<T> {
  return { ...titled, name: '' };
}

/** The object's name, in the column that clients find by its format. */
export const name: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  cell: ({ metadata }) => metadata.name,
};

/** Time since the object was created. */
export const age: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created (CreationTimestamp).',
  cell: ({ metadata }, now) => ageSince(metadata.creationTimestamp, now),
};

/** When the object was created, for kinds without columns of their own. */
export const createdAt: Column<KubeObject> = {
  name: 'Created At',
  type: 'date',
  description: 'Time at which the object was created, as RFC 3339 in UTC (CreationTimestamp).',
  cell: ({ metadata }) => metadata.creationTimestamp ?? '',
};

/** Columns of any kind that says nothing else (`rest.DefaultTableConvertor`). */
export const defaultColumns: readonly Column<KubeObject>[] = [name, createdAt];

/** Columns without their object's type, as the list of all keeps them. */
export function erased<T extends KubeObject>(columns: readonly Column<T>[]): Column<KubeObject>[] {
  return columns as unknown as Column<KubeObject>[];
}

/** `a=1,b=2`, sorted, or `<none>` (`labels.FormatLabels`). */
export function formatLabels(labels: Record<string, string> | null | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? NONE : pairs.sort().join(',');
}

/** A selector, or `<none>`; `<error>` where it cannot be read (`metav1.FormatLabelSelector`). */
export function formatSelector(selector: LabelSelector | undefined): string {
  try {
    return formatLabelSelector(selector) || NONE;
  } catch {
    return '<error>';
  }
}

/** The first `max` of a list, and how many more there are. */
export function firstOf(list: readonly string[], max: number, separator = ','): string {
  const shown = list.slice(0, max).join(separator);
  return list.length > max ? `${shown} + ${list.length - max} more...` : shown;
}

interface Container {
  name?: string;
  image?: string;
}

/** The two wide columns on the containers of a pod template. */
export function containerColumns<T extends KubeObject>(
  of: (object: T) => readonly Container[] | undefined,
): Column<T>[] {
  return [
    wide(text<T>('Containers', (object) => (of(object) ?? []).map((container) => container.name).join(','))),
    wide(text<T>('Images', (object) => (of(object) ?? []).map((container) => container.image).join(','))),
  ];
}

/** Addresses of a load balancer, IP before host name of each (`loadBalancerStatusStringer`). */
export function loadBalancerAddresses(ingress: readonly { ip?: string; hostname?: string }[] | undefined): string {
  const addresses = (ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean);
  return [...new Set(addresses)].sort().join(',');
}
