/** What ValidatingAdmissionPolicies say is checked against the types of what they match; what is wrong is in their status. */
import type { Client } from '../../apimachinery/client.ts';
import { type Json, parseApiVersion } from '../../apimachinery/meta.ts';
import type { ValidatingAdmissionPolicy } from '../../generated/types/admissionregistration.v1.ts';
import type { CustomResourceDefinition } from '../../generated/types/apiextensions.v1.ts';
import { MOST_KINDS, type Named, namedBy, typeWarnings } from '../../resources/admissionregistration/type-checking.ts';
import { customResources, isEstablished } from '../../resources/custom/resource.ts';
import { findResource, resourceByKind } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';
import { type Controller, itself } from '../controller.ts';

const POLICIES = 'admissionregistration.k8s.io/validatingadmissionpolicies';
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
const NAME = 'validatingadmissionpolicy-status';

/** Upstream's `validatingadmissionpolicy-status-controller`; a key is a policy's name. Each generation is looked at once. */
export const validatingAdmissionPolicyStatusController: Controller = {
  name: `${NAME}-controller`,
  watches: [{ resource: POLICIES, keys: itself }],
  async reconcile(client, { name }) {
    const policy = await client.get<ValidatingAdmissionPolicy>(POLICIES, '', name);
    if (policy === undefined) return;
    const { generation = 0 } = policy.metadata;
    if (generation <= (policy.status?.observedGeneration ?? 0)) return;
    const warnings = typeWarnings(policy, await matchedBy(client, policy), await paramsOf(client, policy));
    const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings };
    // Applied, as upstream does: conditions are others' to set.
    const patch = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      status: { observedGeneration: generation, typeChecking },
    };
    await client.patch(POLICIES, '', name, 'apply', patch as unknown as Json, 'status');
    return;
  },
};

/** The resources that the policy's rules name. */
async function matchedBy(client: Client, { spec = {} }: ValidatingAdmissionPolicy): Promise<Resource[]> {
  const found: Resource[] = [];
  for (const rule of spec.matchConstraints?.resourceRules ?? []) {
    let ofRule = 0;
    for (const named of namedBy(rule)) {
      const resource = await resourceNamed(client, named);
      if (resource === undefined) continue;
      found.push(resource);
      if (++ofRule === MOST_KINDS) return found;
    }
  }
  return found;
}

async function resourceNamed(client: Client, { group, version, resource }: Named): Promise<Resource | undefined> {
  const builtIn = findResource(group, version, resource);
  if (builtIn !== undefined || group === '') return builtIn;
  const definition = await client.get<CustomResourceDefinition>(DEFINITIONS, '', `${resource}.${group}`);
  return definition === undefined || !isEstablished(definition) ? undefined : customResources(definition).get(version);
}

/** The resource of the policy's parameters; undefined where it has none, or none is known. */
async function paramsOf(client: Client, { spec }: ValidatingAdmissionPolicy): Promise<Resource | undefined> {
  if (spec?.paramKind === undefined) return undefined;
  const { apiVersion = '', kind = '' } = spec.paramKind;
  const { group, version } = parseApiVersion(apiVersion);
  const builtIn = resourceByKind(group, version, kind);
  if (builtIn !== undefined) return builtIn;
  const { items } = await client.list<CustomResourceDefinition>(DEFINITIONS);
  const definition = items.find((one) => one.spec?.group === group && one.spec.names?.kind === kind);
  return definition === undefined ? undefined : customResources(definition).get(version);
}
