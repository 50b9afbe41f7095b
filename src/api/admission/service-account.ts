/** ServiceAccount: every pod runs as one, and gets its token, the cluster's CA and its namespace mounted. */
import { forbidden } from '../../apimachinery/errors.ts';
import { randomSuffix } from '../../apimachinery/random.ts';
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '../../generated/types/core.v1.ts';
import { pathSegmentName } from '../../resources/validation/object-names.ts';
import { lookUp } from './lookup.ts';
import { type AdmissionPlugin, type Attributes, creates, nameOf } from './plugin.ts';

const PODS = { group: '', resource: 'pods' };
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews a token well before this. Upstream adds seven seconds to tell such tokens apart. */
const TOKEN_SECONDS = 3607;
const MIRROR = 'kubernetes.io/config.mirror';

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  handles: creates('pods'),
  admit(attributes) {
    const { context, object } = attributes;
    const pod = object as Pod;
    if (pod.metadata.annotations?.[MIRROR] !== undefined) return;
    pod.spec ??= {};
    const { spec } = pod;
    spec.serviceAccountName ||= 'default';
    spec.serviceAccount = spec.serviceAccountName;
    const key = `${pod.metadata.namespace}/${spec.serviceAccountName}`;
    const account = lookUp<ServiceAccount>(context, 'core/serviceaccounts', key);
    if (account instanceof Promise) return account.then((loaded) => admit(attributes, pod, spec, loaded));
    admit(attributes, pod, spec, account);
  },
};

function admit({ object }: Attributes, pod: Pod, spec: PodSpec, account: ServiceAccount | undefined): void {
  if (account === undefined) {
    const who = `${pod.metadata.namespace}/${spec.serviceAccountName}`;
    const name = spec.serviceAccountName ?? '';
    const problems = pathSegmentName(name, false);
    const missing = `serviceaccount "${name}" not found`;
    const why =
      problems.length > 0 ? `invalid resource name ${JSON.stringify(name)}: [${problems.join(' ')}]` : missing;
    throw forbidden(PODS, nameOf(object), `error looking up service account ${who}: ${why}`);
  }
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec);
  if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
    spec.imagePullSecrets = account.imagePullSecrets?.map((secret) => ({ ...secret })) as PodSpec['imagePullSecrets'];
  }
}

function mountToken(spec: PodSpec): void {
  const name = `kube-api-access-${randomSuffix(5)}`;
  let used = false;
  const mount = (container: Container): void => {
    container.volumeMounts ??= [];
    if (container.volumeMounts.some((m) => m.mountPath === TOKEN_PATH)) return;
    container.volumeMounts.push({ name, readOnly: true, mountPath: TOKEN_PATH });
    used = true;
  };
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) mount(container);
  if (used) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  };
}
