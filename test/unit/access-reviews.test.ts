/** What reviews of access must look like. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import {
  type AccessReview,
  localErrors,
  selfErrors,
  subjectErrors,
} from '../../src/resources/authorization/validation.ts';

const PODS = { verb: 'get', resource: 'pods', namespace: 'ns' };
const review = (spec: object, metadata: object = {}) => ({ metadata, spec }) as unknown as AccessReview;
const by = (labelSelector: object) => review({ user: 'a', resourceAttributes: { ...PODS, labelSelector } });

describe('reviews of access', () => {
  const cases: [name: string, check: (review: AccessReview) => unknown, review: AccessReview, said: RegExp[]][] = [
    ['good', subjectErrors, review({ user: 'a', resourceAttributes: PODS }), []],
    ['nobody', subjectErrors, review({ resourceAttributes: PODS }), [/^spec.user: .*at least one of user or group/]],
    ['oneself', selfErrors, review({ resourceAttributes: PODS }), []],
    ['nothing', selfErrors, review({}), [/^spec.resourceAttributes: Invalid value: null: exactly one of/]],
    [
      'a name',
      selfErrors,
      review({ resourceAttributes: PODS }, { name: 'x' }),
      [/^metadata: Invalid value: {"name":"x"}: must be empty$/],
    ],
    [
      'managed fields alone',
      selfErrors,
      review({ resourceAttributes: PODS }, { managedFields: [{ manager: 'm' }] }),
      [],
    ],
    ['its namespace', localErrors, review({ user: 'a', resourceAttributes: PODS }, { namespace: 'ns' }), []],
    [
      'another namespace',
      localErrors,
      review({ user: 'a', resourceAttributes: PODS }, { namespace: 'other', labels: { b: 'c', a: 'b' } }),
      [
        /^metadata: Invalid value: {"namespace":"other","labels":{"a":"b","b":"c"}}: must be empty except for namespace$/,
        /^spec.resourceAttributes.namespace: Invalid value: "ns": must match metadata.namespace$/,
      ],
    ],
    [
      'a path',
      localErrors,
      review({ user: 'a', nonResourceAttributes: { path: '/' } }, { namespace: 'ns' }),
      [/disallowed/],
    ],
    [
      'an operator of tomorrow',
      subjectErrors,
      by({ requirements: [{ key: 'a', operator: 'Near', values: ['b'] }] }),
      [],
    ],
    [
      'a label that is none',
      subjectErrors,
      by({ requirements: [{ key: 'a b', operator: 'In', values: ['c d'] }] }),
      [/requirements\[0\].key: Invalid value: "a b"/, /requirements\[0\].values\[0\]: Invalid value: "c d"/],
    ],
  ];
  it.each(cases)('%s', (_, check, object, said) => {
    const messages = (check(object) as Parameters<typeof toMessage>[0][]).map(toMessage);
    expect(messages).toHaveLength(said.length);
    for (const [index, pattern] of said.entries()) expect(messages[index]).toMatch(pattern);
  });
});
