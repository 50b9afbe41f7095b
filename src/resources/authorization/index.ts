import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from '../../generated/types/authorization.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';

const authorization = groupVersion('authorization.k8s.io', 'v1');

/** The resources of the group `authorization.k8s.io`. */
export const authorizationResources: readonly Resource[] = [
  authorization<LocalSubjectAccessReview>({
    resource: 'localsubjectaccessreviews',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
    verbs: ['create'],
  }),
  authorization<SelfSubjectAccessReview>({
    resource: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    namespaced: false,
    verbs: ['create'],
  }),
  authorization<SelfSubjectRulesReview>({
    resource: 'selfsubjectrulesreviews',
    kind: 'SelfSubjectRulesReview',
    namespaced: false,
    verbs: ['create'],
  }),
  authorization<SubjectAccessReview>({
    resource: 'subjectaccessreviews',
    kind: 'SubjectAccessReview',
    namespaced: false,
    verbs: ['create'],
  }),
];
