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

const isDecision = (type: string | undefined): boolean => type === 'Approved' || type === 'Denied';
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

function certificateErrors(certificate: string, old: string): FieldError[] {
  if (certificate === old) return [];
  if (certificate === '') return [forbiddenField(CERTIFICATE, 'updates may not clear certificate content')];
  if (old !== '') return [forbiddenField(CERTIFICATE, 'updates may not modify existing certificate content')];
  const types = [...decoded(certificate).matchAll(/-----BEGIN ([^-]+)-----/g)].map(([, type]) => type);
  const wrong = (detail: string): FieldError[] => [invalid(CERTIFICATE, '<certificate data>', detail)];
  if (types.length === 0) return wrong('must contain at least one CERTIFICATE PEM block');
  const other = types.find((type) => type !== 'CERTIFICATE');
  return other === undefined ? [] : wrong(`only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(other)}`);
}

function decoded(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return '';
  }
}

function validateUpdate({ status }: Request, old: Request): FieldError[] {
  const conditions = status?.conditions ?? [];
  return [
    ...certificateErrors(status?.certificate ?? '', old.status?.certificate ?? ''),
    ...conditionErrors(conditions),
    ...removalErrors(conditions, old.status?.conditions ?? []),
  ];
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
  validateUpdate,
};

/** `status` changes the certificate and conditions other than decisions. */
export const status: SubresourceStrategy<Request> = {
  prepareForUpdate(request, old) {
    keep(request, old, 'spec');
    const decided = (old.status?.conditions ?? []).filter(({ type }) => isDecision(type));
    const others = (request.status?.conditions ?? []).filter(({ type }) => !isDecision(type));
    if (decided.length + others.length > 0) request.status = { ...request.status, conditions: [...decided, ...others] };
    stamp(request, old);
  },
  validateUpdate,
};
