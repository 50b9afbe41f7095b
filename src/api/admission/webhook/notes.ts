/** What is noted down of webhooks in the audit log, beside what they say themselves: who changed an object, and who was not heard. */
import type { AuditNotes } from '../../audit/notes.ts';
import type { CompiledWebhook } from './compile.ts';

const MUTATION = 'mutation.webhook.admission.k8s.io/';
const VALIDATION = 'validating.webhook.admission.k8s.io/';

/** Of a request's webhooks which one, and whether it is asked for the first time. */
export interface Turn {
  round: number;
  index: number;
}

const placeOf = ({ round, index }: Turn): string => `round_${round}_index_${index}`;

/** A webhook that may change the object was asked. */
export function noteMutation(
  audit: AuditNotes | undefined,
  { name, configuration }: CompiledWebhook,
  turn: Turn,
  mutated: boolean,
): void {
  audit?.annotate(MUTATION + placeOf(turn), JSON.stringify({ configuration, webhook: name, mutated }));
}

/** A webhook could not be asked, and the request goes on without it. */
export function noteFailedOpen(
  audit: AuditNotes | undefined,
  { name }: CompiledWebhook,
  turn: Turn,
  mutating: boolean,
): void {
  audit?.annotate(`failed-open.${mutating ? MUTATION : VALIDATION}${placeOf(turn)}`, name);
}
