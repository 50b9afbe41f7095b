/** Messages of `flowcontrol.v1`: see `../parse.ts` for how they are written. */
export const flowcontrolV1 = `
ExemptPriorityLevelConfiguration nominalConcurrencyShares=1:i lendablePercent=2:i
FlowDistinguisherMethod type*=1:s
^FlowSchema metadata=1:meta.v1.ObjectMeta|v spec=2:FlowSchemaSpec|v status=3:FlowSchemaStatus|v
FlowSchemaCondition type=1:s status=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^FlowSchemaList metadata=1:meta.v1.ListMeta|v items*=2:[]FlowSchema
FlowSchemaSpec priorityLevelConfiguration*=1:PriorityLevelConfigurationReference|v matchingPrecedence=2:i|d: distinguisherMethod=3:FlowDistinguisherMethod rules=4:[]PolicyRulesWithSubjects|a
FlowSchemaStatus conditions=1:[]FlowSchemaCondition|m:type|p:merge:type
GroupSubject name*=1:s
LimitResponse type*=1:s queuing=2:QueuingConfiguration
LimitedPriorityLevelConfiguration nominalConcurrencyShares=1:i limitResponse=2:LimitResponse|v lendablePercent=3:i borrowingLimitPercent=4:i
NonResourcePolicyRule verbs*=1:[]s|s nonResourceURLs*=6:[]s|s
PolicyRulesWithSubjects subjects*=1:[]Subject|a resourceRules=2:[]ResourcePolicyRule|a nonResourceRules=3:[]NonResourcePolicyRule|a
^PriorityLevelConfiguration metadata=1:meta.v1.ObjectMeta|v spec=2:PriorityLevelConfigurationSpec|v status=3:PriorityLevelConfigurationStatus|v
PriorityLevelConfigurationCondition type=1:s status=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^PriorityLevelConfigurationList metadata=1:meta.v1.ListMeta|v items*=2:[]PriorityLevelConfiguration
PriorityLevelConfigurationReference name*=1:s
PriorityLevelConfigurationSpec type*=1:s limited=2:LimitedPriorityLevelConfiguration exempt=3:ExemptPriorityLevelConfiguration
PriorityLevelConfigurationStatus conditions=1:[]PriorityLevelConfigurationCondition|m:type|p:merge:type
QueuingConfiguration queues=1:i|d: handSize=2:i|d: queueLengthLimit=3:i|d:
ResourcePolicyRule verbs*=1:[]s|s apiGroups*=2:[]s|s resources*=3:[]s|s clusterScope=4:b namespaces=5:[]s|s|w
ServiceAccountSubject namespace*=1:s name*=2:s
Subject kind*=1:s user=2:UserSubject group=3:GroupSubject serviceAccount=4:ServiceAccountSubject
UserSubject name*=1:s
`;
