/** Messages of `rbac.v1`: see `../parse.ts` for how they are written. */
export const rbacV1 = `
AggregationRule clusterRoleSelectors=1:[]meta.v1.LabelSelector|a
^ClusterRole metadata=1:meta.v1.ObjectMeta|v rules=2:[]PolicyRule|a|w aggregationRule=3:AggregationRule
^ClusterRoleBinding metadata=1:meta.v1.ObjectMeta|v subjects=2:[]Subject|a roleRef*=3:RoleRef|v
^ClusterRoleBindingList metadata=1:meta.v1.ListMeta|v items*=2:[]ClusterRoleBinding
^ClusterRoleList metadata=1:meta.v1.ListMeta|v items*=2:[]ClusterRole
PolicyRule verbs*=1:[]s|a apiGroups=2:[]s|a resources=3:[]s|a resourceNames=4:[]s|a nonResourceURLs=5:[]s|a
^Role metadata=1:meta.v1.ObjectMeta|v rules=2:[]PolicyRule|a|w
^RoleBinding metadata=1:meta.v1.ObjectMeta|v subjects=2:[]Subject|a roleRef*=3:RoleRef|v
^RoleBindingList metadata=1:meta.v1.ListMeta|v items*=2:[]RoleBinding
^RoleList metadata=1:meta.v1.ListMeta|v items*=2:[]Role
RoleRef|A apiGroup=1:s|d: kind*=2:s name*=3:s
Subject|A kind*=1:s apiGroup=2:s name*=3:s namespace=4:s
`;
