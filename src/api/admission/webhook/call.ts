/** One call of an admission webhook. */
import type { JsonObject } from '../../../apimachinery/meta.ts';
import type { Requester } from '../../context.ts';
import { callHook, HookError } from '../../hook-client.ts';
import type { CompiledWebhook } from './compile.ts';
import { CallError } from './errors.ts';

/** What a webhook may answer at most, in bytes. */
const MAX_ANSWER = 3 << 20;

/** The AdmissionReview that a webhook answers with, whatever it holds. Throws a CallError. */
export async function callWebhook(
  context: Requester,
  { name, client, timeoutSeconds }: CompiledWebhook,
  review: JsonObject,
): Promise<JsonObject> {
  try {
    return await callHook(context, { client, timeoutSeconds, maxAnswer: MAX_ANSWER }, review);
  } catch (error) {
    throw error instanceof HookError ? new CallError(name, `failed to call webhook: ${error.message}`) : error;
  }
}
