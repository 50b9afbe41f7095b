/** What `status` of a certificate request may become. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { CertificateSigningRequest as Request } from '../../src/generated/types/certificates.v1.ts';
import { status } from '../../src/resources/certificates/status.ts';

const condition = (type: string, message = 'm') => ({ type, status: 'True', reason: 'R', message });
const request = (state: object) => ({ metadata: { name: 'r' }, spec: {}, status: state }) as unknown as Request;
const pem = (type: string, body: string) => btoa(`-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`);
const APPROVED = { conditions: [condition('Approved')] };
const GOOD = pem('CERTIFICATE', 'MAMC');

describe('the status of a certificate request', () => {
  const cases: [name: string, next: object, old: object, said: RegExp | undefined][] = [
    ['a certificate', { ...APPROVED, certificate: GOOD }, APPROVED, undefined],
    [
      'another one',
      { ...APPROVED, certificate: `${GOOD}` },
      { ...APPROVED, certificate: pem('CERTIFICATE', 'MAMD') },
      /may not modify/,
    ],
    ['none any more', APPROVED, { ...APPROVED, certificate: GOOD }, /may not modify existing certificate content/],
    ['no certificate', { certificate: btoa('x') }, {}, /must contain at least one CERTIFICATE PEM block/],
    ['something else', { certificate: pem('FOO', 'MAMC') }, {}, /only CERTIFICATE PEM blocks are allowed, found "FOO"/],
    ['headers', { certificate: pem('CERTIFICATE', 'A: b\n\nMAMC') }, {}, /no PEM block headers are permitted/],
    ['what is none inside', { certificate: pem('CERTIFICATE', 'AAAA') }, {}, /x509: malformed certificate/],
    ['a decision', APPROVED, {}, /updates may not add a condition of type "Approved"/],
    ['no decision any more', {}, APPROVED, /updates may not remove a condition of type "Approved"/],
    ['a failure', { conditions: [condition('Failed')] }, {}, undefined],
  ];
  it.each(cases)('%s', (_, next, old, said) => {
    const object = request(next);
    status.prepareForUpdate?.(object, request(old));
    const messages = (status.validateUpdate?.(object, request(old)) ?? []).map(toMessage).join('\n');
    if (said === undefined) expect(messages).toBe('');
    else expect(messages).toMatch(said);
  });

  it('keeps the words of a decision', () => {
    const object = request({ conditions: [condition('Approved', 'other')] });
    status.prepareForUpdate?.(object, request(APPROVED));
    expect(object.status?.conditions?.[0]?.message).toBe('m');
  });
});
