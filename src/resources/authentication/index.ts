import type { SelfSubjectReview, TokenReview } from '../../generated/types/authentication.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';

const authentication = groupVersion('authentication.k8s.io', 'v1');

/** The resources of the group `authentication.k8s.io`. */
export const authenticationResources: readonly Resource[] = [
  authentication<SelfSubjectReview>({
    resource: 'selfsubjectreviews',
    kind: 'SelfSubjectReview',
    namespaced: false,
    verbs: ['create'],
  }),
  authentication<TokenReview>({ resource: 'tokenreviews', kind: 'TokenReview', namespaced: false, verbs: ['create'] }),
];
