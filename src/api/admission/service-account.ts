/** ServiceAccount: every pod runs as one, and gets its token, the cluster's CA and its namespace mounted. */
import { forbidden } from '../../apimachinery/errors.ts';
import { randomSuffix } from '../../apimachinery/random.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '../../generated/types/core.v1.ts';
import { lookUp } from './lookup.ts';
import { containerProblem, limitsSecrets, mirrorProblem, secretProblem } from './mountable-secrets.ts';
import { type AdmissionPlugin, type Attributes, creates, nameOf, type Operation } from './plugin.ts';

const PODS = { group: '', resource: 'pods' };
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews a token well before this. Upstream adds seven seconds to tell such tokens apart. */
const TOKEN_SECONDS = 3607;
const MIRROR = 'kubernetes.io/config.mirror';

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  handles: (operation) => creates('pods')(operation) || addsContainers(operation),
  admit(attributes) {
    const pod = attributes.object as Pod;
    if (addsContainers(attributes)) return;
    if (isMirror(pod)) return checkMirror(pod);
    pod.spec ??= {};
    const { spec } = pod;
    spec.serviceAccountName ||= 'default';
    spec.serviceAccount = spec.serviceAccountName;
    return withAccount(attributes, pod, (account) => admit(spec, account));
  },
  validate(attributes) {
    const pod = attributes.object as Pod;
    if (isMirror(pod)) return addsContainers(attributes) ? undefined : checkMirror(pod);
    return withAccount(attributes, pod, (account) => {
      const problem = limitsSecrets(account) ? problemOf(attributes, pod, account) : undefined;
      if (problem !== undefined) throw forbidden(PODS, nameOf(pod), problem);
    });
  },
};

const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.[MIRROR] !== undefined;

function checkMirror(pod: Pod): void {
  const why = mirrorProblem(pod);
  if (why !== undefined) throw forbidden(PODS, nameOf(pod), why);
}

/** Ephemeral containers name secrets, too. */
const addsContainers = ({ resource, operation, subresource }: Operation): boolean =>
  operation === 'UPDATE' &&
  subresource === 'ephemeralcontainers' &&
  resource.group === '' &&
  resource.resource === 'pods';

function problemOf(attributes: Attributes, { spec = {} }: Pod, account: ServiceAccount): string | undefined {
  if (!addsContainers(attributes)) return secretProblem(spec, account);
  return containerProblem(spec.ephemeralContainers as Container[] | undefined, 'ephemeral container', account);
}

/** Throws Forbidden for a pod whose account there is not. */
function withAccount({ context }: Attributes, pod: Pod, then: (account: ServiceAccount) => void): void | Promise<void> {
  const { serviceAccountName: name = '' } = pod.spec ?? {};
  const who = `${pod.metadata.namespace}/${name}`;
  const known = (account: ServiceAccount | undefined): void => {
    if (account === undefined) {
      throw forbidden(PODS, nameOf(pod), `error looking up service account ${who}: ${missing(name)}`);
    }
    then(account);
  };
  const account = lookUp<ServiceAccount>(context, 'core/serviceaccounts', who);
  return account instanceof Promise ? account.then(known) : known(account);
}

function missing(name: string): string {
  const problems = pathSegmentName(name, false);
  if (problems.length === 0) return `serviceaccount "${name}" not found`;
  return `invalid resource name ${JSON.stringify(name)}: [${problems.join(' ')}]`;
}

function admit(spec: PodSpec, account: ServiceAccount): void {
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
