/** What a policy says to a request, with one object of parameters (`validator.Validate`). */
import type { Bindings } from '../../../apimachinery/cel/policy.ts';
import type { Budget } from '../../../apimachinery/cel/program.ts';
import { COST_BUDGET, type Condition, evaluate, meets, OUT_OF_BUDGET } from '../hooks/conditions.ts';
import type { CompiledPolicy, CompiledValidation } from './compile.ts';

/** That a request is refused, and why. */
export interface Denial {
  message: string;
  /** Empty where it could not be told, and the policy fails closed. */
  reason: string;
  /** Of the validation; -1 for what is no validation's. */
  index: number;
}

const MAX_MESSAGE_BYTES = 5 * 1024;

/** The denials of all validations that do not hold; `note` is told the audit annotations. */
export function decide(
  policy: CompiledPolicy,
  bindings: Bindings,
  note: (key: string, value: string) => void = () => {},
): Denial[] {
  const { compiler, conditions, validations, auditAnnotations, fails } = policy;
  const failed = (message: string, index: number): Denial[] => (fails ? [{ message, reason: '', index }] : []);
  const budget: Budget = { left: COST_BUDGET };
  const met = meets(conditions, bindings, budget);
  if (met === false) return [];
  if (met !== true) return failed(met.error, 0);
  const all = compiler.bind(bindings, budget);
  const denials: Denial[] = [];
  for (const [index, validation] of validations.entries()) {
    const result = evaluate(validation, all, budget);
    if (budget.left < 0) return failed(OUT_OF_BUDGET, 0);
    if ('error' in result) denials.push(...failed(result.error, index));
    else if (result.value !== true) {
      denials.push({ message: messageOf(validation, all, budget), reason: validation.reason, index });
    }
  }
  for (const annotation of auditAnnotations) {
    const result = evaluate(annotation, all, budget);
    if ('error' in result) denials.push(...failed(result.error, -1));
    else if (typeof result.value === 'string' && result.value.trim() !== '') note(annotation.key, result.value.trim());
  }
  return denials;
}

/** What the policy has to say, in its own words if they can be found. */
function messageOf(
  { expression, message, messageExpression }: CompiledValidation,
  bindings: Bindings,
  budget: Budget,
): string {
  const said: Condition | undefined =
    messageExpression === undefined || budget.left < 0 ? undefined : { expression: '', compiled: messageExpression };
  const computed = said === undefined ? undefined : evaluate(said, bindings, budget);
  if (computed !== undefined && 'value' in computed && typeof computed.value === 'string') {
    const text = computed.value.trim();
    const tooLong = new TextEncoder().encode(text).byteLength > MAX_MESSAGE_BYTES;
    if (text !== '' && !tooLong && !text.includes('\n')) return text;
  }
  return message.trim() || `failed expression: ${expression.trim()}`;
}
