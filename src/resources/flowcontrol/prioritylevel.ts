import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../apimachinery/field.ts';
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from '../../generated/types/flowcontrol.v1.ts';
import type { Strategy } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';
import { range } from '../validation/rules.ts';

const MOST_QUEUES = 10_000_000;
const MOST_ENTROPY_BITS = 60;
const percent = range(0, 100);

/** The random bits that dealing a hand of queues takes (`shufflesharding.RequiredEntropyBits`). */
const entropyBits = (queues: number, hand: number): number => Math.ceil(Math.log2(queues) * hand);

function queuingErrors(queuing: QueuingConfiguration, at: string, errors: FieldError[]): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  if (queueLengthLimit <= 0) errors.push(invalid(`${at}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(invalid(`${at}.queues`, queues, 'must be positive'));
  else if (queues > MOST_QUEUES) {
    errors.push(invalid(`${at}.queues`, queues, `must not be greater than ${MOST_QUEUES}`));
  }
  const hand = (detail: string): void => void errors.push(invalid(`${at}.handSize`, handSize, detail));
  if (handSize <= 0) hand('must be positive');
  else if (handSize > queues) hand(`should not be greater than queues (${queues})`);
  else if (entropyBits(queues, handSize) > MOST_ENTROPY_BITS) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize}`;
    hand(`${detail} should not be greater than ${MOST_ENTROPY_BITS}`);
  }
}

function responseErrors({ type = '', queuing }: LimitResponse, at: string, errors: FieldError[]): void {
  if (type === 'Reject') {
    if (queuing === undefined) return;
    errors.push(forbiddenField(`${at}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type === 'Queue') {
    const detail = 'must not be empty if limited.limitResponse.type is Limited';
    if (queuing === undefined) errors.push(required(`${at}.queuing`, detail));
    else queuingErrors(queuing, `${at}.queuing`, errors);
  } else {
    errors.push(type === '' ? required(`${at}.type`) : notSupported(`${at}.type`, type, ['Queue', 'Reject']));
  }
}

function sharesErrors(shares: ExemptPriorityLevelConfiguration, at: string, errors: FieldError[]): void {
  const { nominalConcurrencyShares: seats = 0 } = shares;
  if (seats < 0) errors.push(invalid(`${at}.nominalConcurrencyShares`, seats, 'must be a non-negative integer'));
  percent(shares.lendablePercent, `${at}.lendablePercent`, errors);
}

function limitedErrors(limited: LimitedPriorityLevelConfiguration, errors: FieldError[]): void {
  const at = 'spec.limited';
  sharesErrors(limited, at, errors);
  responseErrors(limited.limitResponse ?? {}, `${at}.limitResponse`, errors);
  const { borrowingLimitPercent: borrowing } = limited;
  if (borrowing !== undefined && borrowing < 0) {
    const detail = 'if specified, must be a non-negative integer';
    errors.push(invalid(`${at}.borrowingLimitPercent`, borrowing, detail));
  }
}

function validate({ metadata, spec = {} }: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  const { type = '', limited, exempt } = spec;
  if ((metadata.name === 'exempt') !== (type === 'Exempt')) {
    errors.push(invalid('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited !== undefined) {
      errors.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'));
    }
    if (exempt !== undefined) sharesErrors(exempt, 'spec.exempt', errors);
  } else if (type === 'Limited') {
    if (exempt !== undefined) errors.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'));
    if (limited === undefined) errors.push(required('spec.limited', 'must not be empty when type is Limited'));
    else limitedErrors(limited, errors);
  } else {
    errors.push(type === '' ? required('spec.type') : notSupported('spec.type', type, ['Exempt', 'Limited']));
  }
  return errors;
}

function defaultLimited(limited: LimitedPriorityLevelConfiguration): void {
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  const { queuing } = limited.limitResponse ?? {};
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

/** How PriorityLevelConfigurations are made. */
export const priorityLevel: Strategy<PriorityLevelConfiguration> = {
  metadataChecks: [1, 0],
  ...statusIsSeparate<PriorityLevelConfiguration>({}),
  default({ spec }) {
    const { limited, exempt } = spec ?? {};
    if (limited !== undefined) defaultLimited(limited);
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
  },
  validate,
};
