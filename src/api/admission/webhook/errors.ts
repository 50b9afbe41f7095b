/** How a webhook fails a request (`webhookutil.ErrCallingWebhook`, `webhookerrors.ToStatusErr`). */
import { StatusError } from '../../../apimachinery/errors.ts';
import type { Status } from '../../../apimachinery/meta.ts';

/** The webhook could not be asked, or its answer makes no sense; what follows is its failure policy's to say. */
export class CallError extends Error {
  constructor(webhook: string, reason: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`);
  }
}

/** What the webhook said, made into a refusal whatever it is. */
export function denial(webhook: string, result: Partial<Status> | undefined): StatusError {
  const deniedBy = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const why = result?.message || result?.reason;
  const { kind: _, apiVersion: __, ...said } = result ?? {};
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    ...said,
    status: 'Failure',
    message: why ? `${deniedBy}: ${why}` : `${deniedBy} without explanation`,
    code: Math.max(Number(result?.code ?? 0), 400),
  } as Status);
}
