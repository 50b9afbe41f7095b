/** Field selectors, after upstream's `fields` package: `metadata.name=x,status.phase!=Running`. */
import { badRequest } from './errors.ts';

export interface FieldTerm {
  field: string;
  op: '=' | '!=';
  value: string;
}

/** Reads a field selector. Throws BadRequest with upstream's text (`fields.ParseSelector`). */
export function parseFieldSelector(text: string): FieldTerm[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .sort()
    .map((term) => parseTerm(text, term))
    .filter(saysSomething);
}

/** Upstream takes `=` for a term that all objects fulfil. */
const saysSomething = ({ field, value }: FieldTerm): boolean => field !== '' || value !== '';

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(selector: string, term: string): FieldTerm {
  const match = /!=|==|=/.exec(term);
  if (match === null) throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
  const op = match[0] === '!=' ? '!=' : '=';
  return { field: term.slice(0, match.index), op, value: unescaped(term.slice(match.index + match[0].length)) };
}

function unescaped(value: string): string {
  let plain = '';
  for (let at = 0; at < value.length; at++) {
    const character = value[at] as string;
    if (character === '\\') {
      at += 1;
      const next = value[at] ?? '';
      if (next === '' || !'\\,='.includes(next)) {
        throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`);
      }
      plain += next;
    } else if (character === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    } else {
      plain += character;
    }
  }
  return plain;
}

/** Whether an object's fields satisfy every term; a field that it does not have counts as empty. */
export function matchesFields(terms: readonly FieldTerm[], lookup: (name: string) => string | undefined): boolean {
  return terms.every(({ field, op, value }) => ((lookup(field) ?? '') === value) === (op === '='));
}

/** The selector with other names for its fields, where `names` has them. Throws as {@link parseFieldSelector}. */
export function renameFields(text: string, names: Readonly<Record<string, string>>): string {
  const renamed = (term: string): string => {
    const { field } = parseTerm(text, term);
    return (names[field] ?? field) + term.slice(field.length);
  };
  return splitTerms(text)
    .filter((term) => term !== '')
    .map(renamed)
    .join(',');
}

const ALWAYS = ['metadata.name', 'metadata.namespace'];

/**
 * Throws BadRequest when a term names a field that objects of the kind cannot be selected by. `names`: all that they can be.
 * The wording is upstream's, which differs between kinds with fields of their own and kinds without.
 */
export function assertSupported(terms: readonly FieldTerm[], names: readonly string[], kind: string): void {
  for (const { field } of terms) {
    if (names.includes(field) || ALWAYS.includes(field)) continue;
    if (names.every((name) => ALWAYS.includes(name))) {
      throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
    }
    if (kind === 'Job') throw badRequest(`field label ${JSON.stringify(field)} not supported for Job`);
    throw badRequest(`field label not supported: ${field}`);
  }
}
