/** The small vocabulary in which the default policy is written. Words are parted by spaces; `core` is the group without a name. */
import type { PolicyRule } from '../../../durable-objects/cluster-rpc.ts';

/** Rules of roles, by the role's name. */
export type Roles = Readonly<Record<string, readonly PolicyRule[]>>;

export const READ = 'get list watch';
export const WRITE = 'create update patch delete deletecollection';
export const ALL = `${READ} ${WRITE}`;

/** Upstream keeps the words of its own rules in order. */
const words = (text: string): string[] => text.split(' ').sort();

/** What may be done with resources, of all names or of the named ones only. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(groups)
      .map((group) => (group === 'core' ? '' : group))
      .sort(),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}

/** What may be done with paths that are no resources'. */
export function pathRule(verbs: string, paths: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(paths) };
}

/** Nearly everybody records Events. */
export const EVENTS = rule('create update patch', 'core events.k8s.io', 'events');
