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
import { statusIsSeparate } from '../strategies.ts';

const admissionregistration = groupVersion('admissionregistration.k8s.io', 'v1');
const common = { namespaced: false, categories: ['api-extensions'] } as const;

/** What the two kinds of webhooks leave open in the same way. */
interface Webhook {
  failurePolicy?: string;
  matchPolicy?: string;
  namespaceSelector?: object;
  objectSelector?: object;
  timeoutSeconds?: number;
  clientConfig?: { service?: { port?: number } };
  rules?: { scope?: string }[];
}

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
}

/** What policies match when their author left it open. */
interface MatchResources {
  matchPolicy?: string;
  namespaceSelector?: object;
  objectSelector?: object;
  resourceRules?: { scope?: string }[];
  excludeResourceRules?: { scope?: string }[];
}

function defaultMatch(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

/** The resources of the group `admissionregistration.k8s.io`. */
export const admissionregistrationResources: readonly Resource[] = [
  admissionregistration<MutatingAdmissionPolicy>({
    ...common,
    resource: 'mutatingadmissionpolicies',
    kind: 'MutatingAdmissionPolicy',
    strategy: {
      default({ spec }) {
        if (spec === undefined) return;
        spec.failurePolicy ??= 'Fail';
        defaultMatch(spec.matchConstraints);
      },
    },
  }),
  admissionregistration<MutatingAdmissionPolicyBinding>({
    ...common,
    resource: 'mutatingadmissionpolicybindings',
    kind: 'MutatingAdmissionPolicyBinding',
    strategy: {
      default({ spec }) {
        defaultMatch(spec?.matchResources);
      },
    },
  }),
  admissionregistration<MutatingWebhookConfiguration>({
    ...common,
    resource: 'mutatingwebhookconfigurations',
    kind: 'MutatingWebhookConfiguration',
    strategy: {
      generation: true,
      default(configuration) {
        for (const webhook of configuration.webhooks ?? []) {
          defaultWebhook(webhook);
          webhook.reinvocationPolicy ??= 'Never';
        }
      },
    },
  }),
  admissionregistration<ValidatingAdmissionPolicy>({
    ...common,
    resource: 'validatingadmissionpolicies',
    kind: 'ValidatingAdmissionPolicy',
    subresources: [statusSubresource('ValidatingAdmissionPolicy')],
    strategy: {
      ...statusIsSeparate<ValidatingAdmissionPolicy>({}),
      default({ spec }) {
        if (spec === undefined) return;
        spec.failurePolicy ??= 'Fail';
        defaultMatch(spec.matchConstraints);
      },
    },
  }),
  admissionregistration<ValidatingAdmissionPolicyBinding>({
    ...common,
    resource: 'validatingadmissionpolicybindings',
    kind: 'ValidatingAdmissionPolicyBinding',
    strategy: {
      default({ spec }) {
        defaultMatch(spec?.matchResources);
      },
    },
  }),
  admissionregistration<ValidatingWebhookConfiguration>({
    ...common,
    resource: 'validatingwebhookconfigurations',
    kind: 'ValidatingWebhookConfiguration',
    strategy: {
      generation: true,
      default(configuration) {
        configuration.webhooks?.forEach(defaultWebhook);
      },
    },
  }),
];
