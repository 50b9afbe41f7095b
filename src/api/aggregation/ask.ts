/** What controllers ask extension API servers: as through the API server itself, whose refusals are statuses alone. */
import { StatusError } from '../../apimachinery/errors.ts';
import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import type { User } from '../authentication/user.ts';
import type { Surroundings } from '../context.ts';
import { boundedText } from './extension-discovery.ts';
import { callExtension } from './proxy.ts';
import { remoteServiceFact } from './remote-services.ts';

const TIMEOUT_MS = 10_000;

/** The answer to a user's request for a path below the APIService's group-version. Nobody there is a 503, nobody in time a 504; throws when it is too large. */
export async function askExtension(
  around: Surroundings,
  cluster: string,
  user: User,
  service: APIService,
  path: string,
  method = 'GET',
): Promise<{ status: number; body: string }> {
  const remote = remoteServiceFact(service);
  if (remote?.available !== true) return { status: 503, body: '' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const call = { method, path, headers: { accept: 'application/json' }, signal };
    const answer = await callExtension(around, cluster, remote, user, call);
    return { status: answer.status, body: await boundedText(answer, path) };
  } catch (error) {
    if (signal.aborted) return { status: 504, body: '' };
    if (error instanceof StatusError) return { status: 503, body: '' };
    throw error;
  }
}
