/** The built-in signers: which requests each takes, and the certificate that it makes of one. */
import type * as x509 from '@peculiar/x509';
import type { CertificateSigningRequestSpec as Spec } from '../../generated/types/certificates.v1.ts';
import { NODE_PREFIX, NODES } from '../authentication/user.ts';
import { alternativeNames, parseRequest } from './request.ts';

/** Why a signer does not take a request; undefined where it does. */
type Check = (request: x509.Pkcs10CertificateRequest, usages: readonly string[]) => string | undefined;

const KEY_USAGES = ['digital signature', 'key encipherment'];

function usagesProblem(usages: readonly string[], required: string): string | undefined {
  const allowed = [...KEY_USAGES, required];
  if (usages.includes(required) && usages.every((usage) => allowed.includes(usage))) return undefined;
  const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
  return `usages did not match ${list(allowed)}`;
}

/** What all certificates of kubelets have in common. */
function nodeProblem({ subjectName }: x509.Pkcs10CertificateRequest): string | undefined {
  const organizations = subjectName.getField('O');
  if (organizations.length !== 1 || organizations[0] !== NODES) return 'subject organization is not system:nodes';
  const [name = ''] = subjectName.getField('CN');
  return name.startsWith(NODE_PREFIX) ? undefined : 'subject common name does not begin with system:node:';
}

/** `ValidateKubeletClientCSR`. */
const kubeletClient: Check = (request, usages) => {
  const problem = nodeProblem(request);
  if (problem !== undefined) return problem;
  const names = alternativeNames(request);
  for (const [type, what] of [
    ['dns', 'DNS'],
    ['email', 'email'],
    ['ip', 'IP'],
    ['url', 'URI'],
  ] as const) {
    if (names.some((name) => name.type === type)) return `${what} subjectAltNames are not allowed`;
  }
  return usagesProblem(usages, 'client auth');
};

/** `ValidateKubeletServingCSR`. */
const kubeletServing: Check = (request, usages) => {
  const problem = nodeProblem(request);
  if (problem !== undefined) return problem;
  const names = alternativeNames(request);
  if (!names.some(({ type }) => type === 'dns' || type === 'ip')) {
    return 'DNS or IP subjectAltName is required';
  }
  if (names.some(({ type }) => type === 'email')) return 'email subjectAltNames are not allowed';
  if (names.some(({ type }) => type === 'url')) return 'URI subjectAltNames are not allowed';
  return usagesProblem(usages, 'server auth');
};

const SIGNERS: Readonly<Record<string, Check>> = {
  'kubernetes.io/kube-apiserver-client': (_, usages) => usagesProblem(usages, 'client auth'),
  'kubernetes.io/kube-apiserver-client-kubelet': kubeletClient,
  'kubernetes.io/kubelet-serving': kubeletServing,
  // Says nothing of what it is for, and nothing trusts it.
  'kubernetes.io/legacy-unknown': () => undefined,
};

/** What a signer says of a request: undefined where the signer is none of ours. */
export function examine({ signerName = '', request = '', usages = [] }: Spec): { problem?: string } | undefined {
  const check = SIGNERS[signerName];
  if (check === undefined) return undefined;
  const parsed = parseRequest(request);
  if (parsed === undefined) return { problem: 'unable to parse csr' };
  const problem = check(parsed, usages);
  return problem === undefined ? {} : { problem };
}

/** As which kind of node's request upstream's approver knows it: the node's own renewal, or a first one on its behalf. */
export function nodeRequestKinds(spec: Spec): ('selfnodeclient' | 'nodeclient')[] {
  if (spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return [];
  const examined = examine(spec);
  if (examined === undefined || examined.problem !== undefined) return [];
  const [name] = parseRequest(spec.request ?? '')?.subjectName.getField('CN') ?? [];
  return name === spec.username ? ['selfnodeclient', 'nodeclient'] : ['nodeclient'];
}
