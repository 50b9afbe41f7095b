/** What policies leave in the audit log (upstream's `auditAnnotationCollector`). */
import type { AuditNotes } from '../../audit/notes.ts';
import type { Denial } from './decide.ts';

const FAILURES = 'validation.policy.admission.k8s.io/validation_failure';

/** The annotations of one request, put together from all bindings and parameters. */
export class PolicyNotes {
  private readonly audit: AuditNotes | undefined;
  private readonly values = new Map<string, Set<string>>();
  private readonly failures: object[] = [];

  constructor(audit: AuditNotes | undefined) {
    this.audit = audit;
  }

  annotate(policy: string, key: string, value: string): void {
    if (this.audit === undefined) return;
    const name = `${policy}/${key}`;
    const known = this.values.get(name);
    if (known === undefined) this.values.set(name, new Set([value]));
    else known.add(value);
  }

  /** A validation did not hold that a binding wants to be told of here. */
  failed(
    { message, policy, binding, index }: Denial & { policy: string; binding: string },
    actions: readonly string[],
  ): void {
    this.failures.push({ message, policy, binding, expressionIndex: index, validationActions: actions });
  }

  /** Everything has been judged. */
  publish(): void {
    for (const [key, values] of this.values) this.audit?.annotate(key, [...values].join(', '));
    if (this.failures.length > 0) this.audit?.annotate(FAILURES, JSON.stringify(this.failures));
  }
}
