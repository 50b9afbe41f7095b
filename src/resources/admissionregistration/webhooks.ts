import { duplicate, type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { isDns1035Label, isDns1123Subdomain } from '../../apimachinery/names.ts';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
  WebhookClientConfig,
} from '../../generated/types/admissionregistration.v1.ts';
import type { Strategy } from '../resource.ts';
import { each, oneOf, present } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';
import { webhookServiceErrors, webhookUrlErrors } from '../validation/webhooks.ts';
import { conditionErrors, failurePolicy, matchPolicy } from './conditions.ts';
import { conditionExpressionErrors } from './expressions.ts';
import { ruleWithOperations } from './rules.ts';

/** The versions of AdmissionReview that this server speaks. */
const REVIEW_VERSIONS = ['v1', 'v1beta1'];
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const LONGEST_TIMEOUT = 30;

const sideEffects = oneOf(...SIDE_EFFECTS);
const reinvocation = present<string | undefined>(oneOf('IfNeeded', 'Never'));
const onFailure = present<string | undefined>(failurePolicy);
const onMatch = present<string | undefined>(matchPolicy);

function defaultWebhook(webhook: MutatingWebhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
}

function nameErrors(name: string, at: string): FieldError[] {
  if (name === '') return [required(at)];
  const problems = isDns1123Subdomain(name);
  if (problems.length === 0 && name.split('.').length < 3) {
    problems.push('should be a domain with at least three segments separated by dots');
  }
  return problems.map((problem) => invalid(at, name, problem));
}

function clientErrors({ url, service }: WebhookClientConfig, at: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(at, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return webhookUrlErrors(url, `${at}.url`);
  // Upstream passes the two names in the other order, so that each is missed under the other's field.
  const { name: namespace, namespace: name, ...rest } = service ?? {};
  return webhookServiceErrors(
    { ...rest, ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) },
    `${at}.service`,
  );
}

const isKnown = (version: string): boolean => REVIEW_VERSIONS.includes(version);

function versionErrors(versions: readonly string[], mustBeKnown: boolean, at: string): FieldError[] {
  const known = REVIEW_VERSIONS.join(', ');
  if (versions.length === 0) return [required(at, `must specify one of ${known}`)];
  const errors = versions.flatMap((version, index) => {
    const path = `${at}[${index}]`;
    return versions.indexOf(version) < index
      ? [invalid(path, version, 'duplicate version')]
      : isDns1035Label(version).map((problem) => invalid(path, version, problem));
  });
  if (mustBeKnown && !versions.some(isKnown)) {
    errors.push(invalid(at, versions, `must include at least one of ${known}`));
  }
  return errors;
}

function webhookErrors(webhook: MutatingWebhook, mustBeKnown: boolean, at: string): FieldError[] {
  const errors = nameErrors(webhook.name ?? '', `${at}.name`);
  each(ruleWithOperations)(webhook.rules, `${at}.rules`, errors);
  onFailure(webhook.failurePolicy, `${at}.failurePolicy`, errors);
  onMatch(webhook.matchPolicy, `${at}.matchPolicy`, errors);
  if (webhook.sideEffects === undefined) {
    errors.push(required(`${at}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  } else sideEffects(webhook.sideEffects, `${at}.sideEffects`, errors);
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > LONGEST_TIMEOUT)) {
    const detail = `the timeout value must be between 1 and ${LONGEST_TIMEOUT} seconds`;
    errors.push(invalid(`${at}.timeoutSeconds`, seconds, detail));
  }
  labelSelector(webhook.namespaceSelector, `${at}.namespaceSelector`, errors);
  labelSelector(webhook.objectSelector, `${at}.objectSelector`, errors);
  reinvocation(webhook.reinvocationPolicy, `${at}.reinvocationPolicy`, errors);
  errors.push(...clientErrors(webhook.clientConfig ?? {}, `${at}.clientConfig`));
  conditionErrors(webhook.matchConditions, `${at}.matchConditions`, errors);
  conditionExpressionErrors(webhook.matchConditions, false, `${at}.matchConditions`, errors);
  errors.push(...versionErrors(webhook.admissionReviewVersions ?? [], mustBeKnown, `${at}.admissionReviewVersions`));
  return errors;
}

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

function validate({ webhooks }: Configuration, mustBeKnown = true): FieldError[] {
  const list: readonly MutatingWebhook[] = webhooks ?? [];
  return list.flatMap((webhook, index) => {
    const at = `webhooks[${index}]`;
    const errors = webhookErrors(webhook, mustBeKnown, at);
    const first = list.findIndex(({ name }) => name === webhook.name);
    if (webhook.name && first < index) errors.push(duplicate(`${at}.name`, webhook.name));
    return errors;
  });
}

/** What was taken once stays: an old configuration may name only versions that nobody speaks. */
function validateUpdate(configuration: Configuration, old: Configuration): FieldError[] {
  const before: readonly MutatingWebhook[] = old.webhooks ?? [];
  return validate(
    configuration,
    before.every(({ admissionReviewVersions = [] }) => admissionReviewVersions.some(isKnown)),
  );
}

const common = {
  generation: true,
  validate: (configuration: Configuration) => validate(configuration),
  validateUpdate,
};

/** How ValidatingWebhookConfigurations are made. */
export const validatingWebhooks: Strategy<ValidatingWebhookConfiguration> = {
  metadataChecks: [1, 0],
  plainFinalizers: true,
  tellsEmpty: true,
  ...common,
  default(configuration) {
    configuration.webhooks?.forEach(defaultWebhook);
  },
};

/** How MutatingWebhookConfigurations are made. */
export const mutatingWebhooks: Strategy<MutatingWebhookConfiguration> = {
  metadataChecks: [1, 0],
  plainFinalizers: true,
  tellsEmpty: true,
  ...common,
  default(configuration) {
    for (const webhook of configuration.webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
};
