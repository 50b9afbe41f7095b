/** Which secrets a pod may name. */
import { describe, expect, it } from 'vitest';
import {
  containerProblem,
  limitsSecrets,
  mirrorProblem,
  secretProblem,
} from '../../src/api/admission/mountable-secrets.ts';
import type { Pod, ServiceAccount } from '../../src/generated/types/core.v1.ts';

const account = {
  metadata: { name: 'sa' },
  secrets: [{ name: 'ok' }],
  imagePullSecrets: [{ name: 'pull' }],
} as ServiceAccount;
const from = (name: string) => ({ name: 'c', env: [{ name: 'E', valueFrom: { secretKeyRef: { name, key: 'k' } } }] });
const ofSecret = (secretName: string) => ({ name: 'v', secret: { secretName } });
const NOT = 'is not allowed because service account sa does not reference that';

describe('the secrets of an account', () => {
  const cases: [spec: object, said: string | undefined][] = [
    [{ volumes: [ofSecret('ok')], containers: [from('ok')], imagePullSecrets: [{ name: 'pull' }] }, undefined],
    [{ volumes: [ofSecret('ok'), ofSecret('bad')] }, `volume with secret.secretName="bad" ${NOT} secret`],
    [
      { initContainers: [from('bad')] },
      `init container c with envVar E referencing secret.secretName="bad" ${NOT} secret`,
    ],
    [
      { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'bad' } }] }] },
      `container c with envFrom referencing secret.secretName="bad" ${NOT} secret`,
    ],
    [{ imagePullSecrets: [{ name: 'pull' }, { name: 'x' }] }, `imagePullSecrets[1].name="x" ${NOT} imagePullSecret`],
  ];
  it.each(cases)('%j', (spec, said) => {
    expect(secretProblem(spec, account)).toBe(said);
  });

  it('are those of ephemeral containers, too', () => {
    const said = `ephemeral container c with envVar E referencing secret.secretName="bad" ${NOT} secret`;
    expect(containerProblem([from('bad')], 'ephemeral container', account)).toBe(said);
  });

  it('count where the account says so', () => {
    const saying = (value: string): ServiceAccount => ({
      metadata: { name: 'sa', annotations: { 'kubernetes.io/enforce-mountable-secrets': value } },
    });
    expect(['true', 'T', '1', 'yes', 'false'].map((value) => limitsSecrets(saying(value)))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a mirror pod', () => {
  const token = { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } };
  const cases: [spec: object, said: string | undefined][] = [
    [{ containers: [{ name: 'c' }] }, undefined],
    [{ serviceAccountName: 'sa' }, 'a mirror pod may not reference service accounts'],
    [{ volumes: [ofSecret('ok')] }, 'a mirror pod may not reference secrets'],
    [{ volumes: [token] }, 'a mirror pod may not use ServiceAccountToken volume projections'],
  ];
  it.each(cases)('%j', (spec, said) => {
    expect(mirrorProblem({ metadata: { name: 'p' }, spec } as Pod)).toBe(said);
  });
});
