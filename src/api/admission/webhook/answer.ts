/** What a webhook's answer means (`VerifyAdmissionResponse`). */

import { fromBase64 } from '../../../apimachinery/codec/base64.ts';
import type { Json, JsonObject, Status } from '../../../apimachinery/meta.ts';
import { isObject } from '../../../apimachinery/patch/values.ts';
import type { CompiledWebhook } from './compile.ts';
import { CallError } from './errors.ts';

export interface Answer {
  allowed: boolean;
  result: Partial<Status> | undefined;
  warnings: readonly string[];
  auditAnnotations: Readonly<Record<string, string>>;
  /** JSON patch; of mutating webhooks only. */
  patch: Json | undefined;
}

/** Reads the AdmissionReview that answers the request with this uid. Throws a CallError where it makes no sense. */
export function readAnswer(webhook: CompiledWebhook, review: JsonObject, uid: string, mutating: boolean): Answer {
  const invalid = (why: string): CallError => new CallError(webhook.name, `received invalid webhook response: ${why}`);
  const { response } = review;
  if (!isObject(response)) throw invalid('webhook response was absent');
  const wanted = `admission.k8s.io/${webhook.version}, Kind=AdmissionReview`;
  const got = `${String(review['apiVersion'] ?? '')}, Kind=${String(review['kind'] ?? '')}`;
  const { patchType } = response;
  const patch = response['patch'] ?? '';
  if (webhook.version === 'v1') {
    if (response['uid'] !== uid) {
      throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`);
    }
    if (got !== wanted) throw invalid(`expected webhook response of ${wanted}, got ${got}`);
    if (!mutating && patch !== '') throw invalid('validating webhook may not return response.patch');
    if (!mutating && patchType !== undefined) throw invalid('validating webhook may not return response.patchType');
    if (patch !== '' && patchType === undefined) {
      throw invalid('webhook returned response.patch but not response.patchType');
    }
    if (patch === '' && patchType !== undefined) {
      throw invalid('webhook returned response.patchType but not response.patch');
    }
  }
  if (mutating && patch !== '' && (patchType ?? 'JSONPatch') !== 'JSONPatch') {
    throw new CallError(webhook.name, `unsupported patch type ${JSON.stringify(patchType)}`);
  }
  const { status, warnings, auditAnnotations } = response;
  return {
    allowed: response['allowed'] === true,
    result: isObject(status) ? (status as Partial<Status>) : undefined,
    warnings: Array.isArray(warnings) ? warnings.filter((text) => typeof text === 'string') : [],
    auditAnnotations: isObject(auditAnnotations) ? textsOf(auditAnnotations) : {},
    patch: mutating && patch !== '' ? decodePatch(patch, invalid) : undefined,
  };
}

const textsOf = (object: JsonObject): Record<string, string> =>
  Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  );

function decodePatch(patch: Json, invalid: (why: string) => CallError): Json {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64(String(patch)))) as Json;
  } catch {
    throw invalid('response.patch is not JSON in base64');
  }
}
