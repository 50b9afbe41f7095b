/** One call of a webhook: a review over HTTPS, within its time (upstream's `webhook.ClientManager`). */

import { StatusError } from '../apimachinery/errors.ts';
import type { JsonObject } from '../apimachinery/meta.ts';
import { refusalOf } from '../apimachinery/refusal.ts';
import type { WebhookClientConfig } from '../generated/types/admissionregistration.v1.ts';
import type { Requester } from './context.ts';
import { callService, callUrl } from './streaming/service-call.ts';

/** Who is called, and within what. */
export interface Hook {
  client: WebhookClientConfig;
  timeoutSeconds: number;
  /** What it may answer at most, in bytes. */
  maxAnswer: number;
}

/** The webhook could not be asked, or answered with no object; the message is that of upstream's client. */
export class HookError extends Error {}

/** The object that a webhook answers a review with, whatever it holds. Throws a HookError. */
export async function callHook(context: Requester, hook: Hook, review: JsonObject): Promise<JsonObject> {
  const signal = AbortSignal.timeout(hook.timeoutSeconds * 1000);
  const url = addressOf(hook);
  let answer: { status: number; text: string };
  try {
    const response = await post(context, hook, url, JSON.stringify(review), signal);
    answer = { status: response.status, text: await textOf(response, hook.maxAnswer) };
  } catch (error) {
    throw new HookError(`Post ${JSON.stringify(textOfAddress(hook, url))}: ${causeOf(error)}`);
  }
  const { status, text } = answer;
  if (status < 200 || status > 299) throw new HookError(refusalOf(status, text));
  try {
    const object: unknown = JSON.parse(text);
    if (typeof object === 'object' && object !== null) return object as JsonObject;
    throw new Error(`${text.slice(0, 20)} is no object`);
  } catch (error) {
    throw new HookError(`couldn't get version/kind; json parse error: ${causeOf(error)}`);
  }
}

/** Where a webhook is, with the time that it has. */
function addressOf({ client, timeoutSeconds }: Hook): URL {
  const { service, url = '' } = client;
  const address =
    service === undefined
      ? url
      : `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}/${(service.path ?? '').replace(/^\//, '')}`;
  const parsed = new URL(address);
  parsed.searchParams.set('timeout', `${timeoutSeconds}s`);
  return parsed;
}

/** Upstream names the port of a Service, even that of HTTPS. */
function textOfAddress({ client: { service } }: Hook, { href, host, port }: URL): string {
  return service === undefined || port !== '' ? href : href.replace(`://${host}`, `://${host}:443`);
}

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, */*',
  'user-agent': 'kube-apiserver-admission',
};

/** A CA of one's own is for nodes to verify: the runtime's fetch believes public ones alone. */
function post(
  { around, info }: Requester,
  { client }: Hook,
  url: URL,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  const { service, caBundle = '' } = client;
  if (service === undefined && caBundle === '') {
    return fetch(url, { method: 'POST', headers: HEADERS, body, signal, redirect: 'manual' });
  }
  const request = { method: 'POST', headers: HEADERS, body: new TextEncoder().encode(body), signal, caBundle };
  if (service === undefined) return callUrl(around, info.cluster, url, request);
  const target = { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443 };
  return callService(around, info.cluster, target, { ...request, path: url.pathname + url.search });
}

async function textOf(response: Response, maxAnswer: number): Promise<string> {
  if (response.body === null) return '';
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of response.body as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    size += part.byteLength;
    if (size > maxAnswer) throw new Error('http: response body too large');
    parts.push(part);
  }
  return new Blob(parts).text();
}

/** Why an exchange failed, as far as there are words for it. */
function causeOf(error: unknown): string {
  if (error instanceof StatusError) return error.message;
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'context deadline exceeded';
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
