/** Who may do what: `system:masters`, then the Node authorizer, then RBAC. Allowed by nobody is denied. */
import type { BindingFact, PolicyRule, RoleFact } from '../../durable-objects/cluster-rpc.ts';
import { MASTERS, type User } from '../authentication/user.ts';
import type { Attributes, Decision } from './attributes.ts';
import { isNode, nodeOpinion, type Related, UNRELATED } from './node-authorizer.ts';
import { type MissingRole, Rbac } from './rbac.ts';

/** All rules that a user has in a namespace. */
export interface Rules {
  rules: readonly PolicyRule[];
  /** The user may do more than the rules say. */
  incomplete: boolean;
  /** Roles that are bound to the user and not there. */
  missing: readonly MissingRole[];
}

export class Authorizer {
  private readonly rbac: Rbac;

  constructor(roles: readonly RoleFact[], bindings: readonly BindingFact[]) {
    this.rbac = new Rbac(roles, bindings);
  }

  /** The decision. Only what a node asks for may have to be looked up with `related`; every other answer is there at once. */
  authorize(user: User, attributes: Attributes, related: Related = UNRELATED): Decision | Promise<Decision> {
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const opinion = nodeOpinion(user, attributes, related);
    if (opinion instanceof Promise) return opinion.then((said) => this.after(said, user, attributes));
    return this.after(opinion, user, attributes);
  }

  /** The rules of RBAC; those of a node cannot be listed. */
  rulesFor(user: User, namespace: string): Rules {
    return { ...this.rbac.rulesFor(user, namespace), incomplete: isNode(user) };
  }

  private after(said: Decision, user: User, attributes: Attributes): Decision {
    if (said.allowed) return said;
    const decision = this.rbac.authorize(user, attributes);
    if (decision.allowed || said.reason === '') return decision;
    return { allowed: false, reason: [said.reason, decision.reason].filter((text) => text !== '').join('\n') };
  }
}
