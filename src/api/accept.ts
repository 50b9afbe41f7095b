/** The header `Accept`, after upstream's `goautoneg`. */

export interface Clause {
  /** May have stars: `application/json`, or any of a kind. */
  type: string;
  /** What follows the type, but for `q`. */
  parameters: ReadonlyMap<string, string>;
}

/** The clauses of the header, what is wanted most first: by `q`, then the more exact ones, then in the client's order. */
export function parseAccept(header: string): Clause[] {
  return header
    .split(',')
    .map(clauseOf)
    .filter((clause) => clause !== undefined)
    .sort((a, b) => b.q - a.q || generality(a.type) - generality(b.type));
}

function clauseOf(text: string): (Clause & { q: number }) | undefined {
  const [given = '', ...rest] = text.split(';');
  const type = given.trim() === '*' ? '*/*' : given.trim();
  if (type.split('/').length !== 2) return undefined;
  const parameters = new Map<string, string>();
  let q = 1;
  for (const parameter of rest) {
    const [name = '', value, ...more] = parameter.split('=');
    if (value === undefined || more.length > 0) continue;
    if (name.trim() === 'q') q = Number.parseFloat(value) || 0;
    else parameters.set(name.trim(), value.trim());
  }
  return { type, parameters, q };
}

const generality = (type: string): number => (type.startsWith('*') ? 2 : type.endsWith('*') ? 1 : 0);

/** Whether a clause's type, which may have stars, takes a media type. */
export function takes(clause: string, type: string): boolean {
  if (clause === type || clause === '*/*') return true;
  const [wanted, sub] = clause.split('/');
  return sub === '*' && wanted === type.split('/')[0];
}
