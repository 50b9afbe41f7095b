/** A cluster's webhooks and policies, indexed for the question that every write asks: is any of them concerned? */
import type { ResourceId } from '../../../apimachinery/client.ts';
import type { HookFact } from '../../../durable-objects/cluster-rpc.ts';

const GROUP = 'admissionregistration.k8s.io';
/** Nobody may lock out those who would repair it. */
const EXEMPT = /^(?:validating|mutating)(?:webhookconfigurations|admissionpolicies|admissionpolicybindings)$/;

/** What a request does to what. */
export interface What {
  resource: { group: string; resource: string };
  operation: string;
  subresource: string;
}

const NONE: readonly HookFact[] = [];

export class Hooks {
  private readonly byStore = new Map<ResourceId, HookFact[]>();

  constructor(facts: readonly HookFact[]) {
    for (const fact of facts) {
      const known = this.byStore.get(fact.id);
      if (known === undefined) this.byStore.set(fact.id, [fact]);
      else known.push(fact);
    }
  }

  /** Those of a store whose rules may match the operation; a rule's groups, versions and names are not looked at yet. */
  concerned(id: ResourceId, operation: What): readonly HookFact[] {
    const facts = this.byStore.get(id);
    if (facts === undefined) return NONE;
    const { group, resource } = operation.resource;
    if (group === GROUP && EXEMPT.test(resource)) return NONE;
    return facts.filter(({ rules }) => rules.some((rule) => mayMatch(rule, operation)));
  }

  /** The bindings of a policy. */
  bindings(id: ResourceId, policy: string): readonly HookFact[] {
    return this.byStore.get(id)?.filter((fact) => fact.policy === policy) ?? NONE;
  }
}

function mayMatch(
  { operations, resources }: HookFact['rules'][number],
  { operation, resource, subresource }: What,
): boolean {
  return (
    operations.some((name) => name === '*' || name === operation) &&
    resources.some((name) => matchesResource(name, resource.resource, subresource))
  );
}

/** Whether a rule's `resource`, `resource/subresource` or pattern of them names a resource. */
export function matchesResource(pattern: string, resource: string, subresource: string): boolean {
  const [name = '', sub = ''] = pattern.split('/', 2);
  return (name === '*' || name === resource) && (sub === '*' || sub === subresource);
}
