/** Columns for people to read. */

/** Rows as text, each column as wide as its widest cell and so many spaces. */
export function table(rows: readonly (readonly string[])[], spaces = 2): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => cell.padEnd((widths[i] ?? 0) + spaces)).join('');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** A time in one unit (`duration.ShortHumanDuration`): `23h`, `6d`. */
export function shortDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h`;
  return hours < 24 * 365 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / 24 / 365)}y`;
}
