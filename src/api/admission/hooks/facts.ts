/** What a cluster's snapshot knows of its webhooks and policies: enough to see that none of them is concerned. */
import type { ResourceId } from '../../../apimachinery/client.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';
import type {
  NamedRuleWithOperations,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../../generated/types/admissionregistration.v1.ts';

const GROUP = 'admissionregistration.k8s.io';

export const VALIDATING_POLICIES = `${GROUP}/validatingadmissionpolicies` satisfies ResourceId;
export const VALIDATING_BINDINGS = `${GROUP}/validatingadmissionpolicybindings` satisfies ResourceId;
export const MUTATING_POLICIES = `${GROUP}/mutatingadmissionpolicies` satisfies ResourceId;
export const MUTATING_BINDINGS = `${GROUP}/mutatingadmissionpolicybindings` satisfies ResourceId;
export const VALIDATING_WEBHOOKS = `${GROUP}/validatingwebhookconfigurations` satisfies ResourceId;
export const MUTATING_WEBHOOKS = `${GROUP}/mutatingwebhookconfigurations` satisfies ResourceId;

/** The stores of all of them. */
export const HOOK_STORES: readonly ResourceId[] = [
  VALIDATING_POLICIES,
  VALIDATING_BINDINGS,
  MUTATING_POLICIES,
  MUTATING_BINDINGS,
  VALIDATING_WEBHOOKS,
  MUTATING_WEBHOOKS,
];

type Hook = KubeObject &
  Partial<Pick<ValidatingWebhookConfiguration, 'webhooks'>> & {
    spec?: ValidatingAdmissionPolicy['spec'] & ValidatingAdmissionPolicyBinding['spec'];
  };

/** The fact about one object of those stores. */
export function hookFact(id: ResourceId, object: KubeObject): HookFact {
  const { metadata, spec, webhooks } = object as Hook;
  const rules: (RuleWithOperations & NamedRuleWithOperations)[] =
    webhooks?.flatMap(({ rules = [] }) => rules) ?? spec?.matchConstraints?.resourceRules ?? [];
  return {
    id,
    name: metadata.name,
    resourceVersion: Number(metadata.resourceVersion),
    ...(spec?.policyName === undefined ? {} : { policy: spec.policyName }),
    rules: rules.map(({ operations = [], resources = [] }) => ({ operations, resources })),
  };
}
