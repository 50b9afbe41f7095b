/** Numbers that may be percentages of another, as `maxSurge` and `maxUnavailable` are. */

/** The number, or the percentage of `total`, rounded; broken values count as 0 (`GetScaledValueFromIntOrPercent`). */
export function scaledValue(value: number | string | undefined, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d{1,6})%$/.exec(value ?? '');
  if (percent === null) return 0;
  const exact = (Number(percent[1]) * total) / 100;
  return roundUp ? Math.ceil(exact) : Math.floor(exact);
}
