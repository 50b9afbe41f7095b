/** How decisions on requests, and their certificates, are written: the subresources `approval` and `status`. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from '../../apimachinery/field.ts';
import type {
  CertificateSigningRequestCondition as Condition,
  CertificateSigningRequest as Request,
} from '../../generated/types/certificates.v1.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';

const DECISIONS = ['Approved', 'Denied'];
const isDecision = (type: string | undefined): boolean => DECISIONS.includes(type ?? '');
/** ASN.1's tag of what a certificate is. */
const SEQUENCE = 0x30;
/** Conditions that are said for good. */
const FINAL = ['Approved', 'Denied', 'Failed'];
const STATUSES = ['False', 'True', 'Unknown'];
const CERTIFICATE = 'status.certificate';

/** Conditions without times get them: a state that was there before keeps the time when it came. */
function stamp(request: Request, old: Request): void {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    if (condition.lastTransitionTime !== undefined && condition.lastTransitionTime !== null) continue;
    const same = old.status?.conditions?.find(
      ({ type, status }) => type === condition.type && status === condition.status,
    );
    condition.lastTransitionTime = same?.lastTransitionTime ?? now;
  }
}

function conditionErrors(conditions: readonly Condition[]): FieldError[] {
  const at = 'status.conditions';
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  conditions.forEach(({ type = '', status = '' }, index) => {
    const path = `${at}[${index}]`;
    if (type === '') errors.push(required(`${path}.type`));
    const allowed = FINAL.includes(type) ? ['True'] : STATUSES;
    if (status === '') errors.push(required(`${path}.status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${path}.status`, status, allowed));
    const opposite = type === 'Approved' ? 'Denied' : 'Approved';
    if (isDecision(type) && seen.has(opposite)) {
      errors.push(invalid(at, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
  });
  return errors;
}

/** What was decided is not taken back. */
function removalErrors(conditions: readonly Condition[], old: readonly Condition[]): FieldError[] {
  const count = (list: readonly Condition[], type: string): number => list.filter((c) => c.type === type).length;
  return FINAL.filter((type) => count(conditions, type) < count(old, type)).map((type) =>
    forbiddenField('status.conditions', `updates may not remove a condition of type "${type}"`),
  );
}

/** A decision is neither made, nor unmade, nor worded anew by who writes `status`. */
function decisionErrors(conditions: readonly Condition[], old: readonly Condition[]): FieldError[] {
  const count = (list: readonly Condition[], type: string): number => list.filter((c) => c.type === type).length;
  return DECISIONS.filter((type) => count(conditions, type) > count(old, type)).map((type) =>
    forbiddenField('status.conditions', `updates may not add a condition of type "${type}"`),
  );
}

const ENCAPSULATED = /-----BEGIN ([^-]+)-----\r?\n(.*?)-----END \1-----/gs;

function certificateErrors(certificate: string, old: string): FieldError[] {
  if (certificate === old) return [];
  const changed =
    old === '' ? [] : [forbiddenField(CERTIFICATE, 'updates may not modify existing certificate content')];
  if (certificate === '') return changed;
  const problem = pemProblem(
    [...decoded(certificate).matchAll(ENCAPSULATED)].map(([, type = '', body = '']) => ({ type, body })),
  );
  return [...(problem === undefined ? [] : [invalid(CERTIFICATE, '<certificate data>', problem)]), ...changed];
}

function pemProblem(blocks: readonly { type: string; body: string }[]): string | undefined {
  for (const { type, body } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body.includes(':')) return 'no PEM block headers are permitted';
    // What else may be wrong with it is for who reads it.
    if (decoded(body.replaceAll(/\s/g, '')).charCodeAt(0) !== SEQUENCE) return 'x509: malformed certificate';
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function decoded(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return '';
  }
}

/** Of the conditions, which both subresources write. */
function updateErrors({ status }: Request, old: Request): FieldError[] {
  const conditions = status?.conditions ?? [];
  return [...conditionErrors(conditions), ...removalErrors(conditions, old.status?.conditions ?? [])];
}

/** `approval` changes only the conditions. */
export const approval: SubresourceStrategy<Request> = {
  prepareForUpdate(request, old) {
    const conditions = request.status?.conditions;
    keep(request, old, 'spec');
    request.status = { ...old.status };
    if (conditions !== undefined) request.status.conditions = conditions;
    else delete request.status.conditions;
    stamp(request, old);
  },
  validateUpdate: updateErrors,
};

/** Decisions that are as many as before are the old ones; others are refused. */
function keepDecisions(request: Request, old: Request): void {
  for (const decision of DECISIONS) {
    const kept = (old.status?.conditions ?? []).filter(({ type }) => type === decision);
    const conditions = request.status?.conditions ?? [];
    if (conditions.filter(({ type }) => type === decision).length !== kept.length) continue;
    const replaced = conditions.map((one) => (one.type === decision ? (kept.shift() as Condition) : one));
    if (replaced.length > 0) request.status = { ...request.status, conditions: replaced };
  }
}

/** `status` changes the certificate and conditions other than decisions. */
export const status: SubresourceStrategy<Request> = {
  prepareForUpdate(request, old) {
    keep(request, old, 'spec');
    keepDecisions(request, old);
    stamp(request, old);
  },
  validateUpdate(request, old) {
    return [
      ...certificateErrors(request.status?.certificate ?? '', old.status?.certificate ?? ''),
      ...updateErrors(request, old),
      ...decisionErrors(request.status?.conditions ?? [], old.status?.conditions ?? []),
    ];
  },
};
