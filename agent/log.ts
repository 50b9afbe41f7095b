/** The agent's own log: one line per message, fit for a person and for grep. */
import type { Log } from './types.ts';

const show = (value: unknown): string => {
  if (value instanceof Error) return JSON.stringify(value.message);
  return typeof value === 'string' ? (/[\s"=]/.test(value) ? JSON.stringify(value) : value) : JSON.stringify(value);
};

/** A log to standard error; `verbose` also writes debug lines. `prefix` names the part that speaks. */
export function createLog(prefix: string, verbose = false): Log {
  const write =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${show(value)}`);
      process.stderr.write(`${new Date().toISOString()} ${level} ${prefix}: ${message}${rest.join('')}\n`);
    };
  return {
    debug: verbose ? write('debug') : () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}
