/** Columns of what governs the cluster: access, admission, priorities, extensions, certificates, leases. */
import { findCondition } from '../../apimachinery/conditions.ts';
import { humanDuration } from '../../apimachinery/duration.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../generated/types/admissionregistration.v1.ts';
import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';
import type { Lease } from '../../generated/types/coordination.v1.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../generated/types/flowcontrol.v1.ts';
import type { RuntimeClass } from '../../generated/types/node.v1.ts';
import type { PodDisruptionBudget } from '../../generated/types/policy.v1.ts';
import type { RoleBinding } from '../../generated/types/rbac.v1.ts';
import type { PriorityClass } from '../../generated/types/scheduling.v1.ts';
import type { Column } from '../resource.ts';
import { age, boolean, createdAt, erased, formatSelector, integer, NONE, name, text, UNSET, wide } from './shared.ts';

const webhooks: Column<MutatingWebhookConfiguration>[] = [
  name,
  integer('Webhooks', (configuration) => configuration.webhooks?.length ?? 0),
  age,
];

const paramKind = (kind: ParamKind | undefined): string => (kind == null ? UNSET : `${kind.apiVersion}/${kind.kind}`);

function paramRef(reference: ParamRef | undefined): string {
  if (reference == null) return UNSET;
  if (reference.name) return reference.namespace ? `${reference.namespace}/${reference.name}` : reference.name;
  return reference.selector == null ? UNSET : formatSelector(reference.selector);
}

const mutatingPolicies: Column<MutatingAdmissionPolicy>[] = [
  name,
  integer('Mutations', ({ spec }) => spec?.mutations?.length ?? 0),
  text('ParamKind', ({ spec }) => paramKind(spec?.paramKind)),
  age,
];

const validatingPolicies: Column<ValidatingAdmissionPolicy>[] = [
  name,
  integer('Validations', ({ spec }) => spec?.validations?.length ?? 0),
  text('ParamKind', ({ spec }) => paramKind(spec?.paramKind)),
  age,
];

const policyBindings: Column<MutatingAdmissionPolicyBinding | ValidatingAdmissionPolicyBinding>[] = [
  name,
  text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
  text('ParamRef', ({ spec }) => paramRef(spec?.paramRef)),
  age,
];

function serviceOf({ spec }: APIService): string {
  return spec?.service == null ? 'Local' : `${spec.service.namespace}/${spec.service.name}`;
}

function availability({ status }: APIService): string {
  const available = findCondition(status?.conditions, 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason})`;
}

const apiServices: Column<APIService>[] = [name, text('Service', serviceOf), text('Available', availability), age];

function csrCondition({ status }: CertificateSigningRequest): string {
  const is = (type: string): boolean => (status?.conditions ?? []).some((condition) => condition.type === type);
  const words = [is('Denied') ? 'Denied' : is('Approved') ? 'Approved' : 'Pending'];
  if (is('Failed')) words.push('Failed');
  if (status?.certificate) words.push('Issued');
  return words.join(',');
}

const certificateSigningRequests: Column<CertificateSigningRequest>[] = [
  name,
  age,
  text('SignerName', ({ spec }) => spec?.signerName || NONE),
  text('Requestor', ({ spec }) => spec?.username ?? ''),
  text('RequestedDuration', ({ spec }) =>
    spec?.expirationSeconds == null ? NONE : humanDuration(spec.expirationSeconds * 1000),
  ),
  text('Condition', csrCondition),
];

const leases: Column<Lease>[] = [name, text('Holder', ({ spec }) => spec?.holderIdentity ?? ''), age];

const flowSchemas: Column<FlowSchema>[] = [
  name,
  text('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration?.name || NONE),
  text('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0),
  text('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? NONE),
  age,
  text('MissingPL', ({ status }) => findCondition(status?.conditions, 'Dangling')?.status ?? '?'),
];

type Queuing = { queues?: number; handSize?: number; queueLengthLimit?: number };

const queuing = ({ spec }: PriorityLevelConfiguration, field: keyof Queuing): number | string =>
  (spec?.limited?.limitResponse?.queuing as Queuing | undefined)?.[field] ?? NONE;

const priorityLevels: Column<PriorityLevelConfiguration>[] = [
  name,
  text('Type', ({ spec }) => spec?.type ?? ''),
  text('NominalConcurrencyShares', ({ spec }) => (spec?.limited ?? spec?.exempt)?.nominalConcurrencyShares ?? NONE),
  text('Queues', (level) => queuing(level, 'queues')),
  text('HandSize', (level) => queuing(level, 'handSize')),
  text('QueueLengthLimit', (level) => queuing(level, 'queueLengthLimit')),
  age,
];

const runtimeClasses: Column<RuntimeClass>[] = [name, text('Handler', ({ handler }) => handler ?? ''), age];

const disruptionBudgets: Column<PodDisruptionBudget>[] = [
  name,
  text('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
  text('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
  integer('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0),
  age,
];

const subjects = ({ subjects: all }: RoleBinding, kind: string): string =>
  (all ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
    .join(', ');

const bindings: Column<RoleBinding>[] = [
  name,
  text('Role', ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
  age,
  wide(text('Users', (binding) => subjects(binding, 'User'))),
  wide(text('Groups', (binding) => subjects(binding, 'Group'))),
  wide(text('ServiceAccounts', (binding) => subjects(binding, 'ServiceAccount'))),
];

const priorityClasses: Column<PriorityClass>[] = [
  name,
  integer('Value', ({ value }) => value ?? 0),
  boolean('Global-Default', ({ globalDefault }) => globalDefault ?? false),
  age,
  text('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
];

export const controlColumns: Record<string, Column<KubeObject>[]> = {
  'admissionregistration.k8s.io/mutatingadmissionpolicies': erased(mutatingPolicies),
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': erased(policyBindings),
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': erased(webhooks),
  'admissionregistration.k8s.io/validatingadmissionpolicies': erased(validatingPolicies),
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': erased(policyBindings),
  'admissionregistration.k8s.io/validatingwebhookconfigurations': erased(webhooks),
  'apiextensions.k8s.io/customresourcedefinitions': [name, createdAt],
  'apiregistration.k8s.io/apiservices': erased(apiServices),
  'certificates.k8s.io/certificatesigningrequests': erased(certificateSigningRequests),
  'coordination.k8s.io/leases': erased(leases),
  'flowcontrol.apiserver.k8s.io/flowschemas': erased(flowSchemas),
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': erased(priorityLevels),
  'node.k8s.io/runtimeclasses': erased(runtimeClasses),
  'policy/poddisruptionbudgets': erased(disruptionBudgets),
  'rbac.authorization.k8s.io/clusterrolebindings': erased(bindings),
  'rbac.authorization.k8s.io/clusterroles': [name, createdAt],
  'rbac.authorization.k8s.io/rolebindings': erased(bindings),
  'rbac.authorization.k8s.io/roles': [name, createdAt],
  'scheduling.k8s.io/priorityclasses': erased(priorityClasses),
};
