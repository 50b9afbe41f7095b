import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../generated/types/admissionregistration.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { mutatingBinding, validatingBinding } from './bindings.ts';
import { mutatingPolicy, validatingPolicy, validatingPolicyStatus } from './policies.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

const admissionregistration = groupVersion('admissionregistration.k8s.io', 'v1', { unconditionalUpdate: false });
const common = { namespaced: false, categories: ['api-extensions'] } as const;

/** The resources of the group `admissionregistration.k8s.io`. */
export const admissionregistrationResources: readonly Resource[] = [
  admissionregistration<MutatingAdmissionPolicy>({
    ...common,
    resource: 'mutatingadmissionpolicies',
    kind: 'MutatingAdmissionPolicy',
    strategy: mutatingPolicy,
  }),
  admissionregistration<MutatingAdmissionPolicyBinding>({
    ...common,
    resource: 'mutatingadmissionpolicybindings',
    kind: 'MutatingAdmissionPolicyBinding',
    strategy: mutatingBinding,
  }),
  admissionregistration<MutatingWebhookConfiguration>({
    ...common,
    resource: 'mutatingwebhookconfigurations',
    kind: 'MutatingWebhookConfiguration',
    strategy: mutatingWebhooks,
  }),
  admissionregistration<ValidatingAdmissionPolicy>({
    ...common,
    resource: 'validatingadmissionpolicies',
    kind: 'ValidatingAdmissionPolicy',
    subresources: [statusSubresource('ValidatingAdmissionPolicy', validatingPolicyStatus)],
    strategy: validatingPolicy,
  }),
  admissionregistration<ValidatingAdmissionPolicyBinding>({
    ...common,
    resource: 'validatingadmissionpolicybindings',
    kind: 'ValidatingAdmissionPolicyBinding',
    strategy: validatingBinding,
  }),
  admissionregistration<ValidatingWebhookConfiguration>({
    ...common,
    resource: 'validatingwebhookconfigurations',
    kind: 'ValidatingWebhookConfiguration',
    strategy: validatingWebhooks,
  }),
];
