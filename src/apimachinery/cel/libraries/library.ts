/** What a library of functions is, and what all of them share. */
import type { Environment } from '@marcbachmann/cel-js/evaluator';

/** Adds functions and types to an environment, in place. */
export type Library = (environment: Environment) => void;

/** Names functions by signature: `'string.find(string): string'`. */
export function functions(table: Record<string, (...values: never[]) => unknown>): Library {
  return (environment) => {
    for (const [signature, handler] of Object.entries(table)) {
      environment.registerFunction(signature, handler as (...values: unknown[]) => unknown);
    }
  };
}

/** An evaluation that fails; the message is cel-go's. */
export class CelFailure extends Error {
  override readonly name = 'CelFailure';
}

/** Throws as an expression does that cannot be evaluated. */
export function fail(message: string): never {
  throw new CelFailure(message);
}

/** What a macro finds wrong with an expression when it is checked, and where. */
export class Misfit extends Error {
  readonly summary: string;
  readonly node: { readonly op: string };

  constructor(summary: string, node: { readonly op: string }) {
    super(summary);
    this.summary = summary;
    this.node = node;
  }
}
