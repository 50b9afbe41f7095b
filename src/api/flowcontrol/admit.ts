/** Priority and fairness in a request's way: it has a seat while it is answered, or is told to come again (`WithPriorityAndFairness`). */
import { tooManyRequests } from '../../apimachinery/errors.ts';
import type { Context, Execution } from '../context.ts';
import { connects } from '../request-info.ts';
import { withHeader } from '../respond.ts';
import { type Flow, takeSeat } from './flows.ts';

const RETRY_AFTER_SECONDS = 1;
const SCHEMA_HEADER = 'x-kubernetes-pf-flowschema-uid';
const LEVEL_HEADER = 'x-kubernetes-pf-prioritylevel-uid';

/**
 * Lets `serve` make the answer as soon as the request's level has a seat. What stays open has none, as upstream; a watch has one until it
 * begins. Throws TooManyRequests where there is none in time.
 */
export async function serveFairly(
  context: Context,
  execution: Execution | undefined,
  serve: () => Promise<void>,
): Promise<void> {
  const { info, user, snapshot } = context;
  if (connects(info)) return serve();
  const flow = snapshot.flows.of(user, info);
  context.flow = flow;
  const { level } = flow;
  const taken = takeSeat(flow, user, info);
  // A client that goes away does not end its request before that has given its seat back.
  if (taken instanceof Promise) execution?.waitUntil(taken);
  const seat = taken instanceof Promise ? await taken : taken;
  if (seat === undefined) throw tooManyRequests('Too many requests, please try again later.', RETRY_AFTER_SECONDS);
  try {
    const served = serve();
    if (!level.isExempt) execution?.waitUntil(served);
    await served;
  } finally {
    level.release(seat);
  }
}

/** The answer with the uids of the schema and the level that it came by: their names might tell more than a client is to know. */
export function marked(response: Response, { schema, levelUid }: Flow): Response {
  return withHeader(withHeader(response, SCHEMA_HEADER, schema.uid), LEVEL_HEADER, levelUid);
}
