/** How a group's resources are written down: what follows from the group or the kind is said once. */
import type { KubeObject } from '../apimachinery/meta.ts';
import { defineResource, type Resource, type Strategy, type Subresource } from './resource.ts';
import { keepAllButStatus } from './strategies.ts';

type Derived = 'group' | 'version' | 'singular' | 'strategy';

/** A resource without what follows from its group and kind: group, version, `singular` (the kind in lower case), an empty strategy. */
export type ResourceLiteral<T extends KubeObject> = Omit<Resource<T>, Derived> & Partial<Pick<Resource<T>, 'strategy'>>;

/** What the strategies of a group may have in common. */
type Common = Pick<Strategy<KubeObject>, 'returnsDeleted' | 'createOnUpdate' | 'unconditionalUpdate'>;

/** Gives a function that completes the literals of one group and version; `common` is what all strategies of the group have. */
export function groupVersion(group: string, version: string, common: Common = {}) {
  return <T extends KubeObject>(literal: ResourceLiteral<T>): Resource => {
    const strategy = { ...common, ...literal.strategy };
    return defineResource<T>({ ...literal, strategy, group, version, singular: literal.kind.toLowerCase() });
  };
}

const READ_AND_CHANGE = ['get', 'patch', 'update'] as const;

/** The `status` subresource of a kind; the usual strategy keeps everything but the status. */
export function statusSubresource<T extends KubeObject>(
  kind: string,
  strategy: Subresource<T>['strategy'] = keepAllButStatus(),
): Subresource<T> {
  return { name: 'status', kind, verbs: READ_AND_CHANGE, strategy };
}

/** A subresource that changes the same object by other rules than an update: `approval`, `resize`, `ephemeralcontainers`. */
export function changeSubresource<T extends KubeObject>(
  name: string,
  kind: string,
  strategy: Subresource<T>['strategy'],
): Subresource<T> {
  return { name, kind, verbs: READ_AND_CHANGE, strategy };
}

/** The `scale` subresource. */
export const scaleSubresource: Subresource<KubeObject> = {
  name: 'scale',
  kind: 'Scale',
  group: 'autoscaling',
  version: 'v1',
  verbs: READ_AND_CHANGE,
};
