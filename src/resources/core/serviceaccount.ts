import type { ServiceAccount } from '../../generated/types/core.v1.ts';
import { core } from './group.ts';

const ENFORCE_SECRETS = 'kubernetes.io/enforce-mountable-secrets';

function warnings({ metadata }: ServiceAccount, old?: ServiceAccount): string[] {
  const has = (annotations: Record<string, string> = {}): boolean => annotations[ENFORCE_SECRETS] !== undefined;
  if (!has(metadata.annotations) || has(old?.metadata.annotations)) return [];
  const why = 'deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets';
  return [`metadata.annotations[${ENFORCE_SECRETS}]: ${why}`];
}

/** Service accounts. */
export const serviceAccount = core<ServiceAccount>({
  resource: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
  shortNames: ['sa'],
  strategy: { returnsDeleted: true, warnings },
  subresources: [
    { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  ],
});
