/** Audit events to a webhook, as upstream's: POST of an EventList. */
import { Batch } from './batch.ts';

/** Whoever takes requests: a service binding, or the network. */
export interface Receiver {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

const DELAY_MS = 500;
/** Upstream's `--audit-webhook-batch-max-size`. */
const MOST = 400;
const TIMEOUT_MS = 10_000;

/** `token` goes as a bearer token; empty: none. */
export function webhookSink(name: string, url: string, token: string, receiver: Receiver): Batch {
  const headers = { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) };
  return new Batch({
    name,
    delayMs: DELAY_MS,
    most: MOST,
    async send(lines) {
      const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.join(',')}]}`;
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await receiver.fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
    },
  });
}
