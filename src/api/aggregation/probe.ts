/** Whether an extension API server answers for its group-version. */
import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import type { Surroundings } from '../context.ts';
import { AGGREGATOR } from './front-proxy.ts';
import { callExtension } from './proxy.ts';
import { remoteServiceFact } from './remote-services.ts';

const TIMEOUT_MS = 5000;
const ATTEMPTS = 2;

/** The status of the answer to a question for the discovery document, or why there was none. Any one attempt may succeed. */
export async function probeDiscovery(
  around: Surroundings,
  cluster: string,
  service: APIService,
): Promise<{ status: number } | { error: string }> {
  const remote = remoteServiceFact(service);
  if (remote === undefined) return { status: 200 };
  const path = `/apis/${remote.group}/${remote.version}`;
  let result: { status: number } | { error: string } = { error: '' };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      // Whether it answers is asked, not whether it is to be believed.
      const call = { method: 'GET', path, headers: {}, signal };
      const answer = await callExtension(around, cluster, { ...remote, insecure: true }, AGGREGATOR, call);
      await answer.body?.cancel();
      result = { status: answer.status };
      if (answer.ok) return result;
    } catch (error) {
      const late = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
      result = { error: signal.aborted ? late : error instanceof Error ? error.message : String(error) };
    }
  }
  return result;
}
