/** docs/conformance.md says of each conformance test what our test of the same name says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const TESTS = join(ROOT, 'test/e2e/conformance');
const CALL = /^ *(describe|it)([.\w]*)\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)")/gm;

/** Results by name, as the tests have them. */
function tested(): Record<string, string> {
  const results: Record<string, string> = {};
  for (const file of readdirSync(TESTS).filter((name) => name.endsWith('.test.ts'))) {
    let suite = '';
    for (const [, what, how = '', single, double] of readFileSync(join(TESTS, file), 'utf8').matchAll(CALL)) {
      const name = single?.replaceAll("\\'", "'") ?? double ?? '';
      if (what === 'describe') suite = name;
      else results[`${suite} ${name}`] = how.includes('.fails') ? 'fails' : 'passes';
    }
  }
  return results;
}

/** Results by name, as the page has them. */
function documented(): Record<string, string> {
  const results: Record<string, string> = {};
  let sig = '';
  for (const line of readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8').split('\n')) {
    sig = /^## (.+)/.exec(line)?.[1] ?? sig;
    const [, name = '', result = ''] = /^\| (.+) \| (passes|fails)\b/.exec(line) ?? [];
    if (name !== '') results[`[${sig}] ${name}`] = result;
  }
  return results;
}

it('the table of conformance tests and the tests agree', () => {
  expect(documented()).toEqual(tested());
});
