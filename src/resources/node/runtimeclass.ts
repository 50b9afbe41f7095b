import { deepEqual } from '../../apimachinery/equal.ts';
import { duplicate, type FieldError, invalid } from '../../apimachinery/field.ts';
import { canonical, compareQuantity } from '../../apimachinery/quantity.ts';
import type { Toleration } from '../../generated/types/core.v1.ts';
import type { RuntimeClass } from '../../generated/types/node.v1.ts';
import { tolerations } from '../core/pod-spec/scheduling.ts';
import type { Strategy } from '../resource.ts';
import { dns1123Label, labels } from '../validation/formats.ts';
import { nullable, struct, text } from '../validation/go-struct.ts';
import { containerResourceName } from '../validation/resource-names.ts';
import { immutable, required } from '../validation/rules.ts';

/** Errors of what a pod costs beside its containers: upstream checks it as limits of a container. */
function overheadErrors(podFixed: Record<string, string> = {}, errors: FieldError[]): void {
  for (const [name, amount] of Object.entries(podFixed)) {
    const at = `overhead.limits[${name}]`;
    containerResourceName(name, at, errors);
    if (compareQuantity(amount, '0') < 0) {
      errors.push(invalid(at, canonical(amount), 'must be greater than or equal to 0'));
    }
  }
}

const shownToleration = struct({
  Key: text,
  Operator: text,
  Value: text,
  Effect: text,
  TolerationSeconds: nullable,
});

function uniqueTolerations(list: readonly Toleration[] = [], path: string, errors: FieldError[]): void {
  const shown = list.map(shownToleration);
  shown.forEach((toleration, index) => {
    const first = shown.findIndex((other) => deepEqual(other, toleration));
    if (first < index) errors.push(duplicate(`${path}[${index}]`, toleration));
  });
}

function validate({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors: FieldError[] = [];
  required<string>(dns1123Label)(handler, 'handler', errors);
  overheadErrors(overhead?.podFixed as Record<string, string> | undefined, errors);
  labels(scheduling?.nodeSelector, 'scheduling.nodeSelector', errors);
  tolerations(scheduling?.tolerations, 'scheduling.tolerations', errors);
  uniqueTolerations(scheduling?.tolerations, 'scheduling.tolerations', errors);
  return errors;
}

/** How RuntimeClasses are made: who runs the pods is settled once. */
export const runtimeClass: Strategy<RuntimeClass> = {
  plainFinalizers: true,
  createOnUpdate: true,
  unconditionalUpdate: false,
  validate,
  validateUpdate(value, old) {
    const errors = validate(value);
    immutable(value.handler ?? '', old.handler ?? '', 'handler', errors);
    return errors;
  },
};
