import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../src/apimachinery/errors.ts';
import { assertSupported, matchesFields, parseFieldSelector } from '../../src/apimachinery/fields.ts';
import {
  formatLabelSelector,
  formatSelector,
  fromLabelSelector,
  fromSet,
  matches,
  selects,
} from '../../src/apimachinery/labels.ts';
import { parseSelector } from '../../src/apimachinery/selector-parser.ts';

const messageOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error.status.message;
    throw error;
  }
  return undefined;
};

const app = { app: 'x', tier: '2' };

describe('parseSelector', () => {
  it.each([
    ['', app, true],
    ['app=x', app, true],
    ['app==x', app, true],
    ['app=y', app, false],
    ['app!=y', app, true],
    ['none!=y', app, true],
    ['app in (x,y)', app, true],
    ['app notin (x)', app, false],
    ['none notin (x)', app, true],
    ['app', app, true],
    ['!app', app, false],
    ['! none', app, true],
    ['tier>1', app, true],
    ['tier<2', app, false],
    ['app>1', app, false],
    ['app=', app, false],
    ['app in ()', { app: '' }, true],
    ['app in (,x)', { app: '' }, true],
    ['app in (x,)', { app: '' }, true],
    ['in in (in)', { in: 'in' }, true],
    [' app = x , tier ', app, true],
    ['toString', {}, false],
  ])('%j on %j is %s', (selector, labels, expected) => {
    expect(matches(parseSelector(selector), labels)).toBe(expected);
  });

  it.each([
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['app in x', "unable to parse requirement: found 'x' expected: '('"],
    ['app in (x', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['x=(y)', "unable to parse requirement: found '(', expected: identifier"],
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    [
      'a>b',
      "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ])('refuses %j', (text, message) => expect(messageOf(() => parseSelector(text))).toBe(message));

  it('prints what it read, in order of keys', () => {
    expect(formatSelector(parseSelector('c notin (b,a),b!=1,!a,d,e>1,f<2,g==3'))).toBe(
      '!a,b!=1,c notin (a,b),d,e>1,f<2,g==3',
    );
  });
});

describe('selectors of objects', () => {
  it('selects nothing when absent and everything when empty', () => {
    expect(matches(fromLabelSelector(undefined), app)).toBe(false);
    expect(matches(fromLabelSelector({}), app)).toBe(true);
    expect(formatLabelSelector(undefined)).toBe('');
  });

  it('selects nothing by an operator that does not exist', () => {
    expect(selects({ matchExpressions: [{ key: 'app', operator: 'Like', values: ['x'] }] }, app)).toBe(false);
    expect(selects({}, app)).toBe(true);
    expect(selects(undefined, app)).toBe(false);
  });

  it('takes labels and expressions', () => {
    const selector = {
      matchLabels: { app: 'x' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['2', '1'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    };
    expect(matches(fromLabelSelector(selector), app)).toBe(true);
    expect(matches(fromLabelSelector(selector), { ...app, old: '' })).toBe(false);
    expect(formatLabelSelector(selector)).toBe('app=x,!old,tier in (1,2)');
    expect(formatSelector(fromSet({ b: '2', a: '1' }))).toBe('a=1,b=2');
    expect(messageOf(() => fromLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Is' }] }))).toBe(
      '"Is" is not a valid label selector operator',
    );
  });
});

describe('field selectors', () => {
  const fields: Record<string, string> = { 'metadata.name': 'p', 'status.phase': 'Running' };
  it.each([
    ['', true],
    ['=,!=,metadata.name=p', true],
    ['metadata.name=p', true],
    ['metadata.name==p,status.phase!=Failed', true],
    ['metadata.name!=p', false],
    ['spec.nodeName=', true],
    ['metadata.name=a\\,b', false],
  ])('%j is %s', (text, expected) => {
    expect(matchesFields(parseFieldSelector(text), (name) => fields[name])).toBe(expected);
  });

  it('undoes escapes', () => {
    expect(parseFieldSelector('a=x\\,y\\=z\\\\')).toEqual([{ field: 'a', op: '=', value: 'x,y=z\\' }]);
  });

  const check = (text: string, names: string[], kind: string) => (): void =>
    assertSupported(parseFieldSelector(text), names, kind);
  it.each([
    [() => parseFieldSelector('metadata.name'), "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    [() => parseFieldSelector('a=b\\x'), 'invalid field selector: invalid escape sequence: \\x'],
    [() => parseFieldSelector('a=b=c'), 'invalid field selector: unescaped character in value: 61'],
    [check('spec.x=1', ['status.phase'], 'Pod'), 'field label not supported: spec.x'],
    [check('spec.x=1', ['status.successful'], 'Job'), 'field label "spec.x" not supported for Job'],
    [
      check('spec.x=1', [], 'Deployment'),
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [check('metadata.name=1', [], 'Deployment'), undefined],
  ])('case %#', (run, message) => expect(messageOf(run)).toBe(message));
});

const recorded = new URL('../../../shared/fixtures/recorded/scenarios/selectors.json', import.meta.url).pathname;
describe.skipIf(!existsSync(recorded))('selectors of the original', () => {
  const { steps } = (existsSync(recorded) ? JSON.parse(readFileSync(recorded, 'utf8')) : { steps: [] }) as {
    steps: { request: { path: string }; response: { status: number; body: { message?: string } } }[];
  };
  const refused = steps.flatMap(({ request, response }) => {
    const text = new URL(request.path, 'http://x').searchParams.get('labelSelector');
    return text === null ? [] : [{ text, message: response.status === 200 ? undefined : response.body.message }];
  });
  it.each(refused)('$text', ({ text, message }) => expect(messageOf(() => parseSelector(text))).toBe(message));
});
