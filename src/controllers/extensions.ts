/** How controllers take what extension API servers answer. */
import { refusalOf } from '../apimachinery/refusal.ts';

export const API_SERVICES = 'apiregistration.k8s.io/apiservices';

/** JSON that was not looked at yet. */
interface Answer {
  kind?: unknown;
  message?: unknown;
  items?: unknown;
  resources?: unknown;
}

/** What a body says; undefined where it is no JSON. Throws a refusal's message, or the words of upstream's client: then with `what` was asked. */
export function answerOf({ status, body }: { status: number; body: string }, what: string): Answer | undefined {
  const answer = parsed(body);
  if (status >= 200 && status <= 299) return answer;
  if (answer?.kind === 'Status' && typeof answer.message === 'string') throw new Error(answer.message);
  throw new Error(`${refusalOf(status, body)} (${what})`);
}

function parsed(body: string): Answer | undefined {
  try {
    return (JSON.parse(body) as Answer | null) ?? undefined;
  } catch {
    return undefined;
  }
}
