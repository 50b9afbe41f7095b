/** Values that may be absent, made outside of expressions. */
import { Environment } from '@marcbachmann/cel-js/evaluator';

/** A value that may be absent. */
export interface Optional {
  hasValue(): boolean;
  value(): unknown;
}

interface Optionals {
  of(value: unknown): unknown;
  none(): unknown;
}

// The base library hands out its class with a value alone.
const absent: unknown = new Environment({ enableOptionalTypes: true }).evaluate('optional.none()');
const optionals = (absent as { constructor: unknown }).constructor as Optionals;

/** `optional.of(value)`. */
export const some = (value: unknown): unknown => optionals.of(value);

/** `optional.none()`. */
export const none = (): unknown => absent;
