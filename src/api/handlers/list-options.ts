/** The query of lists and watches, checked as upstream's `ValidateListOptions` does. */
import { badRequest, failure, invalidObject, StatusError } from '../../apimachinery/errors.ts';
import { type FieldError, forbiddenField, notSupported } from '../../apimachinery/field.ts';
import type { Status } from '../../apimachinery/meta.ts';
import { parseVersion } from '../../store/list.ts';

const MATCH = 'resourceVersionMatch';
const MATCHES = ['Exact', 'NotOlderThan', ''];
const OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' };

/** Throws Invalid for options that do not go together. What a list alone may get wrong, the store refuses. */
export function checkListOptions(q: URLSearchParams, watch: boolean): void {
  const errors = watch ? watchErrors(q) : listErrors(q);
  if (errors.length > 0) throw invalidObject(OPTIONS, '', errors);
  if (watch) checkWatchVersion(q.get('resourceVersion') ?? '');
}

function listErrors(q: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  const match = q.get(MATCH);
  if (match) {
    const version = q.get('resourceVersion') ?? '';
    if (version === '') errors.push(forbiddenField(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
    if (q.get('continue')) errors.push(forbiddenField(MATCH, `${MATCH} is forbidden when continue is provided`));
    if (!MATCHES.includes(match)) errors.push(notSupported(MATCH, match, MATCHES));
    if (match === 'Exact' && version === '0') {
      errors.push(forbiddenField(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (q.has('sendInitialEvents')) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function watchErrors(q: URLSearchParams): FieldError[] {
  const match = q.get(MATCH) ?? '';
  const initial = q.has('sendInitialEvents');
  const errors: FieldError[] = [];
  if (initial && match !== 'NotOlderThan') {
    errors.push(forbiddenField(MATCH, `sendInitialEvents requires setting ${MATCH} to NotOlderThan`));
  }
  if (match === '') return errors;
  if (!initial) {
    errors.push(forbiddenField(MATCH, `${MATCH} is forbidden for watch unless sendInitialEvents is provided`));
  }
  if (match !== 'NotOlderThan') errors.push(notSupported(MATCH, match, ['NotOlderThan']));
  if (q.get('continue')) errors.push(forbiddenField(MATCH, `${MATCH} is forbidden when continue is provided`));
  return errors;
}

/** Upstream finds this out where it expects no user's mistake any more, and so answers 500. */
function checkWatchVersion(text: string): void {
  try {
    parseVersion(text);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const message = error.message.replace(/^invalid resource version: /, '');
    const { reason: _, ...status } = failure(500, '', message);
    throw new StatusError(status as Status);
  }
}

/** A number in the query, 0 where there is none. Throws BadRequest for anything else, nothing at all included. */
export function integerOf(q: URLSearchParams, name: string): number {
  const text = q.get(name);
  if (text === null) return 0;
  const refuse = (why: string): never => {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  };
  if (!/^[-+]?\d+$/.test(text)) refuse('invalid syntax');
  const value = BigInt(text.replace('+', ''));
  if (BigInt.asIntN(64, value) !== value) refuse('value out of range');
  return Number(value);
}
