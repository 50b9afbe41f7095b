/** Webhook configurations made into what they do. */
import { PolicyCompiler } from '../../../apimachinery/cel/policy.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
  WebhookClientConfig,
} from '../../../generated/types/admissionregistration.v1.ts';
import { type Condition, compileConditions } from '../hooks/conditions.ts';
import { HookCache } from '../hooks/load.ts';

export interface CompiledWebhook {
  /** Unlike any other's in the cluster. */
  id: string;
  name: string;
  /** The name of the object that it stands in. */
  configuration: string;
  webhook: MutatingWebhook;
  client: WebhookClientConfig;
  conditions: readonly Condition[];
  /** `failurePolicy` is Fail. */
  fails: boolean;
  timeoutSeconds: number;
  /** Of AdmissionReview. */
  version: string;
}

const VERSIONS = ['v1', 'v1beta1'];

function compileWebhooks({
  metadata,
  webhooks = [],
}: MutatingWebhookConfiguration | ValidatingWebhookConfiguration): CompiledWebhook[] {
  return webhooks.map((webhook: MutatingWebhook, index) => ({
    id: `${metadata.name}/${webhook.name}/${index}`,
    name: webhook.name ?? '',
    configuration: metadata.name,
    webhook,
    client: webhook.clientConfig ?? {},
    conditions: compileConditions(webhook.matchConditions, new PolicyCompiler(false)),
    fails: webhook.failurePolicy !== 'Ignore',
    timeoutSeconds: webhook.timeoutSeconds ?? 10,
    version: webhook.admissionReviewVersions?.find((version) => VERSIONS.includes(version)) ?? 'v1',
  }));
}

/** The webhooks of configurations, once for each version of these. */
export const webhooks = new HookCache<readonly CompiledWebhook[]>((object: KubeObject) => compileWebhooks(object));
