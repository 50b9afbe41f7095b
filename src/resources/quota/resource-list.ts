/** Lists of amounts by resource name, as quotas add, subtract and compare them (upstream's `quota/v1`). */
import { addText, compareQuantity, subText } from '../../apimachinery/quantity.ts';

/** Quantities by the name of what they are of. */
export type ResourceList = Readonly<Record<string, string>>;

const make = (entries: Iterable<readonly [string, string]>): ResourceList => Object.fromEntries(entries);
const amountOf = (list: ResourceList, name: string): string | undefined =>
  Object.hasOwn(list, name) ? list[name] : undefined;

/** Name by name (`Add`). */
export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const sum = new Map(Object.entries(a));
  for (const [name, amount] of Object.entries(b)) {
    const other = sum.get(name);
    sum.set(name, other === undefined ? amount : addText(other, amount));
  }
  return make(sum);
}

/** Name by name, never less than nothing (`SubtractWithNonNegativeResult`). */
export function increaseOver(a: ResourceList, b: ResourceList): ResourceList {
  const rest = Object.entries(a).map(([name, amount]) => {
    const left = subText(amount, amountOf(b, name) ?? '0');
    return [name, compareQuantity(left, '0') > 0 ? left : '0'] as const;
  });
  return make(rest);
}

/** The greater of two amounts, name by name (`Max`). */
export function maxLists(a: ResourceList, b: ResourceList): ResourceList {
  const greatest = new Map(Object.entries(a));
  for (const [name, amount] of Object.entries(b)) {
    const other = greatest.get(name);
    if (other === undefined || compareQuantity(amount, other) > 0) greatest.set(name, amount);
  }
  return make(greatest);
}

/** What of the list has one of the names (`Mask`). */
export function mask(list: ResourceList, names: Iterable<string>): ResourceList {
  const kept = new Set(names);
  return make(Object.entries(list).filter(([name]) => kept.has(name)));
}

/** What is more or less than nothing (`RemoveZeros`). */
export function withoutZeros(list: ResourceList): ResourceList {
  return make(Object.entries(list).filter(([, amount]) => compareQuantity(amount, '0') !== 0));
}

/** Names of which `list` has more than `limits` allow (`LessThanOrEqual`). */
export function exceeding(list: ResourceList, limits: ResourceList): string[] {
  return Object.entries(list)
    .filter(([name, amount]) => compareQuantity(amount, amountOf(limits, name) ?? amount) > 0)
    .map(([name]) => name);
}

/** Whether both have the same names and amounts, however they are written (`Equals`). */
export function equalLists(a: ResourceList, b: ResourceList): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) => compareQuantity(amountOf(a, name) ?? '0', amountOf(b, name) ?? '0') === 0 && Object.hasOwn(b, name),
    )
  );
}

/** `cpu=2,pods=1`: as upstream's messages say it. */
export function formatList(list: ResourceList): string {
  return Object.entries(list)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${amount}`)
    .join(',');
}
