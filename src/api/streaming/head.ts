/** The head of a relayed HTTP response. */
import { failure, StatusError } from '../../apimachinery/errors.ts';
import type { First } from './relay.ts';

/** Statuses whose responses never have a body. */
const NO_BODY = new Set([204, 205, 304]);

/** An answer as it was given. Throws where `who` has said what no HTTP response may. */
export function responseOf(
  { status, headers }: NonNullable<First['head']>,
  body: ReadableStream,
  who: string,
): Response {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new StatusError(failure(502, 'InternalError', `${who} answered with status ${status}`));
  }
  const given = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) given.append(name, one);
  }
  const bare = NO_BODY.has(status);
  // What is compressed already is not compressed again.
  return new Response(bare ? null : body, { status, headers: given, encodeBody: 'manual' });
}
