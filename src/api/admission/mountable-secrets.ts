/** Which secrets a pod may name: none if it is a mirror pod, else those of its ServiceAccount where that insists on it. */
import type { Container, Pod, PodSpec, ServiceAccount } from '../../generated/types/core.v1.ts';
import { podReferences } from '../../resources/core/pod-references.ts';

const ENFORCE = 'kubernetes.io/enforce-mountable-secrets';
/** Go's `ParseBool`. */
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** Whether pods may name only the secrets that the account lists. */
export const limitsSecrets = ({ metadata }: ServiceAccount): boolean => TRUE.has(metadata.annotations?.[ENFORCE] ?? '');

/** What a mirror pod may not have; undefined where all is well. */
export function mirrorProblem(pod: Pod): string | undefined {
  if (pod.spec?.serviceAccountName) return 'a mirror pod may not reference service accounts';
  if (podReferences(pod).secrets.length > 0) return 'a mirror pod may not reference secrets';
  const sources = (pod.spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  return sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)
    ? 'a mirror pod may not use ServiceAccountToken volume projections'
    : undefined;
}

/** The first secret that the account does not list (`limitSecretReferences`); undefined where it lists all. */
export function secretProblem(spec: PodSpec, account: ServiceAccount): string | undefined {
  const { mountable, because } = of(account);
  for (const { secret } of spec.volumes ?? []) {
    const { secretName: name = '' } = secret ?? {};
    if (secret !== undefined && !mountable.has(name)) {
      return `volume with secret.secretName="${name}" is not allowed ${because} that secret`;
    }
  }
  const problem =
    containerProblem(spec.initContainers, 'init container', account) ??
    containerProblem(spec.containers, 'container', account);
  if (problem !== undefined) return problem;
  const pulls = new Set(account.imagePullSecrets?.map(({ name }) => name));
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!pulls.has(name)) {
      return `imagePullSecrets[${index}].name="${name ?? ''}" is not allowed ${because} that imagePullSecret`;
    }
  }
  return undefined;
}

/** The same of containers' environments; `what` says what they are. */
export function containerProblem(
  containers: readonly Container[] | undefined,
  what: string,
  account: ServiceAccount,
): string | undefined {
  const { mountable, because } = of(account);
  for (const { name, env = [], envFrom = [] } of containers ?? []) {
    const named = [
      ...env.map((one) => ({ by: `envVar ${one.name}`, secret: one.valueFrom?.secretKeyRef })),
      ...envFrom.map(({ secretRef }) => ({ by: 'envFrom', secret: secretRef })),
    ];
    for (const { by, secret } of named) {
      if (secret === undefined || mountable.has(secret.name ?? '')) continue;
      const which = `${what} ${name} with ${by} referencing secret.secretName="${secret.name ?? ''}"`;
      return `${which} is not allowed ${because} that secret`;
    }
  }
  return undefined;
}

const of = ({ metadata, secrets }: ServiceAccount) => ({
  mountable: new Set(secrets?.map(({ name }) => name ?? '')),
  because: `because service account ${metadata.name} does not reference`,
});
