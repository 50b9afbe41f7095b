/** Patterns in the syntax of Go's `regexp`. They take time in proportion to the text, whatever their author had in mind. */
import { RE2JS } from 're2js';

const known = new Map<string, RE2JS | undefined>();
const MOST_KNOWN = 1000;

/** The compiled pattern, or undefined for what is no pattern. */
export function compilePattern(pattern: string): RE2JS | undefined {
  if (known.has(pattern)) return known.get(pattern);
  let compiled: RE2JS | undefined;
  try {
    compiled = RE2JS.compile(pattern);
  } catch {
    compiled = undefined;
  }
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(pattern, compiled);
  return compiled;
}

/** Whether the pattern is found anywhere in the text. What is no pattern matches nothing. */
export function matchesPattern(pattern: string, text: string): boolean {
  return compilePattern(pattern)?.matcher(text).find() ?? false;
}

/** What is wrong with a pattern, in the words of Go's `regexp`. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
