/** Failures as `metav1.Status`, after upstream's `api/errors`. Throw a {@link StatusError}; one handler answers with its status. */
import { type FieldError, toCause, toMessage } from './field.ts';
import type { Status, StatusCause } from './meta.ts';

export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message);
    this.name = 'StatusError';
    this.status = status;
  }
}

export interface GroupResource {
  group: string;
  resource: string;
}

export interface GroupKind {
  group: string;
  kind: string;
}

/** `pods`, or `deployments.apps`: how upstream names a resource in a message. */
export function qualified(gr: GroupResource): string {
  return gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`;
}

/** A `Status` of failure; `details` only as upstream fills them. */
export function failure(code: number, reason: string, message: string, details?: Status['details']): Status {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  if (details !== undefined) status.details = details;
  return status;
}

const fail = (code: number, reason: string, message: string, details?: Status['details']): StatusError =>
  new StatusError(failure(code, reason, message, details));

/** A failure that upstream has no reason for (`StatusReasonUnknown`). */
export function unknownError(message: string): StatusError {
  const { reason: _, ...status } = failure(500, '', message);
  return new StatusError(status as Status);
}

const of = (gr: GroupResource, name: string): NonNullable<Status['details']> => ({
  ...(name === '' ? {} : { name }),
  ...(gr.group === '' ? {} : { group: gr.group }),
  kind: gr.resource,
});

/** 404: `pods "x" not found`. */
export const notFound = (gr: GroupResource, name: string): StatusError =>
  fail(404, 'NotFound', `${qualified(gr)} "${name}" not found`, of(gr, name));

/** 404 for a path that nothing serves. */
export const noSuchPath = (): StatusError =>
  fail(404, 'NotFound', 'the server could not find the requested resource', {});

/** What the message of {@link alreadyExists} begins with where the object is about to go. */
export const BEING_DELETED = 'object is being deleted: ';

/** 409: `pods "x" already exists`. */
export const alreadyExists = (gr: GroupResource, name: string): StatusError =>
  fail(409, 'AlreadyExists', `${qualified(gr)} "${name}" already exists`, of(gr, name));

/** 409, optimistic lock or precondition. */
export const conflict = (gr: GroupResource, name: string, why: string): StatusError =>
  fail(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(gr)} "${name}": ${why}`, of(gr, name));

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

/** 422 with one cause per field error. */
export function invalidObject(gk: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const messages = [...new Set(errors.map(toMessage))];
  const list = messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`;
  const qualifiedKind = gk.group === '' ? gk.kind : `${gk.kind}.${gk.group}`;
  const causes: StatusCause[] = errors.map(toCause);
  return fail(422, 'Invalid', `${qualifiedKind} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(gk.group === '' ? {} : { group: gk.group }),
    ...(gk.kind === '' ? {} : { kind: gk.kind }),
    causes,
  });
}

/** 400. */
export const badRequest = (message: string): StatusError => fail(400, 'BadRequest', message);

/** 401: the message never says why a credential was refused. */
export const unauthorized = (): StatusError => fail(401, 'Unauthorized', 'Unauthorized');

/** 403 of an admission plugin or a rule: `pods "x" is forbidden: why`. */
export const forbidden = (gr: GroupResource, name: string, why: string): StatusError => {
  const subject = name === '' ? qualified(gr) : `${qualified(gr)} "${name}"`;
  return fail(403, 'Forbidden', `${subject} is forbidden: ${why}`, of(gr, name));
};

/** 405: no route takes the method at this path. */
export const methodNotAllowed = (): StatusError =>
  fail(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

/** 406: no route writes what is asked for. */
export const noRepresentation = (available: readonly string[]): StatusError =>
  fail(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`, {});

/** 406: a route does, but not in the form that is asked for. */
export const notAcceptable = (accepted: readonly string[]): StatusError =>
  fail(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);

/** 406: what is asked for cannot be made of this. */
export const notAcceptableBecause = (why: string): StatusError => fail(406, 'NotAcceptable', why);

/** 410, a resourceVersion below the compaction floor. */
export const expired = (message: string): StatusError => fail(410, 'Expired', message);

/** 413. */
export const tooLarge = (message: string): StatusError => fail(413, 'RequestEntityTooLarge', message);

/** 415. */
export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  fail(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** 415: no route reads what is sent. */
export const noConsumer = (): StatusError => fail(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});

/** 429 with `Retry-After`, in seconds. */
export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  fail(429, 'TooManyRequests', message, { retryAfterSeconds });

/** 500; the text must be fit for a client to read. */
export const internalError = (why: string): StatusError =>
  fail(500, 'InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });

/** 503. */
export const serviceUnavailable = (message: string): StatusError => fail(503, 'ServiceUnavailable', message);

/** Whether an error is a Status with this reason (`apierrors.IsNotFound` and friends). */
export function isReason(error: unknown, reason: string): boolean {
  return error instanceof StatusError && error.status.reason === reason;
}
