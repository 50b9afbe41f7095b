/** Conditions of newer kinds, which are checked (`metav1.ValidateConditions`). */
import { type FieldError, invalid, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { Condition } from '../../generated/types/meta.v1.ts';
import { qualifiedName } from './formats.ts';
import { all, each, oneOf, type Rule, unique } from './rules.ts';

const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const REASON_PROBLEM =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
const LONGEST_REASON = 1024;
const LONGEST_MESSAGE = 32 * 1024;
const status = oneOf('False', 'True', 'Unknown');

const condition: Rule<Condition> = (value, path, errors: FieldError[]) => {
  const { reason = '', message = '', observedGeneration = 0 } = value;
  qualifiedName(value.type, `${path}.type`, errors);
  status(value.status, `${path}.status`, errors);
  if (observedGeneration < 0) {
    errors.push(invalid(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'));
  }
  if (!value.lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`));
  if (reason === '') errors.push(required(`${path}.reason`));
  else {
    if (!REASON.test(reason)) errors.push(invalid(`${path}.reason`, reason, REASON_PROBLEM));
    if (byteLength(reason) > LONGEST_REASON) errors.push(tooLong(`${path}.reason`, LONGEST_REASON));
  }
  if (byteLength(message) > LONGEST_MESSAGE) errors.push(tooLong(`${path}.message`, LONGEST_MESSAGE));
};

/** A list of conditions: each type once. */
export const conditions: Rule<readonly Condition[] | undefined> = all<readonly Condition[] | undefined>(
  each(condition),
  unique<Condition>(({ type }) => type, 'type'),
);
