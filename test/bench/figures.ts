/** Figures: a JSON line each as they come, a table of all at the end. */

export interface Figure {
  name: string;
  /** Clients or watchers, where it matters. */
  clients?: number;
  perSecond?: number;
  p50Ms?: number;
  p99Ms?: number;
  /** p50 as a ratio to that of `GET /version` with as many clients. */
  toVersion?: number;
  value?: number;
  unit?: string;
}

/** The value below which a share of the sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

export class Figures {
  private readonly all: Figure[] = [];

  /** Prints the figure as a JSON line on standard output. */
  add(figure: Figure): void {
    this.all.push(figure);
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  }

  find(name: string, clients: number): Figure | undefined {
    return this.all.find((figure) => figure.name === name && figure.clients === clients);
  }

  /** All figures as a table of text. */
  table(): string {
    const heads = ['', 'clients', '/s', 'p50 ms', 'p99 ms', 'x version', 'value'];
    const cell = (value: number | undefined): string => (value === undefined ? '' : String(value));
    const rows = this.all.map((f) => [
      f.name,
      cell(f.clients),
      cell(f.perSecond),
      cell(f.p50Ms),
      cell(f.p99Ms),
      cell(f.toVersion),
      f.value === undefined ? '' : `${f.value} ${f.unit ?? ''}`.trim(),
    ]);
    const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => (row[i] ?? '').length)));
    const line = (row: string[]): string =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ');
    return [heads, ...rows].map(line).join('\n');
  }
}
