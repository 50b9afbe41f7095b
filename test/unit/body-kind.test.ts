import { expect, it } from 'vitest';
import { decodeBytes } from '../../src/api/decode.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };

function decoded(body: object): string {
  try {
    const { object } = decodeBytes(
      new TextEncoder().encode(JSON.stringify(body)),
      'application/json',
      DEPLOYMENT,
      'Strict',
    );
    return `${object.apiVersion} ${object.kind}`;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.message;
  }
}

const TAKEN = 'apps/v1 Deployment';
it.each<[object, string]>([
  [{}, TAKEN],
  [{ kind: 'Deployment' }, TAKEN],
  [{ apiVersion: 'apps/v1' }, TAKEN],
  [{ apiVersion: '', kind: '' }, TAKEN],
  [{ apiVersion: null, kind: null }, TAKEN],
  [{ apiVersion: 'apps/', kind: 'Deployment' }, TAKEN],
  [
    { apiVersion: 'v1', kind: 'Pod' },
    'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (Deployment): unknown conversion',
  ],
  [
    { apiVersion: 'apps/v2' },
    'Deployment in version "v2" cannot be handled as a Deployment: no kind "Deployment" is registered for version "apps/v2"',
  ],
  [
    { apiVersion: 'a/b/c', spec: 1 },
    'the object provided is unrecognized (must be of type Deployment): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c","spec":1 ...)',
  ],
])('a body with %j', (body, expected) => expect(decoded(body)).toBe(expected));
