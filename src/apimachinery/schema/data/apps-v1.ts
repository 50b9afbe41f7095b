/** Messages of `apps.v1`: see `../parse.ts` for how they are written. */
export const appsV1 = `
^ControllerRevision metadata=1:meta.v1.ObjectMeta|v data=2:runtime.RawExtension revision*=3:l
^ControllerRevisionList metadata=1:meta.v1.ListMeta|v items*=2:[]ControllerRevision
^DaemonSet metadata=1:meta.v1.ObjectMeta|v spec=2:DaemonSetSpec|v status=3:DaemonSetStatus|v
DaemonSetCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^DaemonSetList metadata=1:meta.v1.ListMeta|v items*=2:[]DaemonSet
DaemonSetSpec selector*=1:meta.v1.LabelSelector template*=2:core.v1.PodTemplateSpec|v updateStrategy=3:DaemonSetUpdateStrategy|v minReadySeconds=4:i revisionHistoryLimit=6:i
DaemonSetStatus currentNumberScheduled*=1:i numberMisscheduled*=2:i desiredNumberScheduled*=3:i numberReady*=4:i observedGeneration=5:l updatedNumberScheduled=6:i numberAvailable=7:i numberUnavailable=8:i collisionCount=9:i conditions=10:[]DaemonSetCondition|m:type|p:merge:type
DaemonSetUpdateStrategy type=1:s rollingUpdate=2:RollingUpdateDaemonSet
^Deployment metadata=1:meta.v1.ObjectMeta|v spec=2:DeploymentSpec|v status=3:DeploymentStatus|v
DeploymentCondition type*=1:s status*=2:s lastUpdateTime=6:meta.v1.Time|v lastTransitionTime=7:meta.v1.Time|v reason=4:s message=5:s
^DeploymentList metadata=1:meta.v1.ListMeta|v items*=2:[]Deployment
DeploymentSpec replicas=1:i selector*=2:meta.v1.LabelSelector template*=3:core.v1.PodTemplateSpec|v strategy=4:DeploymentStrategy|p:retainKeys|v minReadySeconds=5:i revisionHistoryLimit=6:i paused=7:b progressDeadlineSeconds=9:i
DeploymentStatus observedGeneration=1:l replicas=2:i updatedReplicas=3:i readyReplicas=7:i availableReplicas=4:i unavailableReplicas=5:i terminatingReplicas=9:i conditions=6:[]DeploymentCondition|m:type|p:merge:type collisionCount=8:i
DeploymentStrategy type=1:s rollingUpdate=2:RollingUpdateDeployment
^ReplicaSet metadata=1:meta.v1.ObjectMeta|v spec=2:ReplicaSetSpec|v status=3:ReplicaSetStatus|v
ReplicaSetCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^ReplicaSetList metadata=1:meta.v1.ListMeta|v items*=2:[]ReplicaSet
ReplicaSetSpec replicas=1:i minReadySeconds=4:i selector*=2:meta.v1.LabelSelector template=3:core.v1.PodTemplateSpec|v
ReplicaSetStatus replicas*=1:i fullyLabeledReplicas=2:i readyReplicas=4:i availableReplicas=5:i terminatingReplicas=7:i observedGeneration=3:l conditions=6:[]ReplicaSetCondition|m:type|p:merge:type
RollingUpdateDaemonSet maxUnavailable=1:intstr.IntOrString maxSurge=2:intstr.IntOrString
RollingUpdateDeployment maxUnavailable=1:intstr.IntOrString maxSurge=2:intstr.IntOrString
RollingUpdateStatefulSetStrategy partition=1:i maxUnavailable=2:intstr.IntOrString
^StatefulSet metadata=1:meta.v1.ObjectMeta|v spec=2:StatefulSetSpec|v status=3:StatefulSetStatus|v
StatefulSetCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^StatefulSetList metadata=1:meta.v1.ListMeta|v items*=2:[]StatefulSet
StatefulSetOrdinals start=1:i|d:|w
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted=1:s whenScaled=2:s
StatefulSetSpec replicas=1:i selector*=2:meta.v1.LabelSelector template*=3:core.v1.PodTemplateSpec|v volumeClaimTemplates=4:[]core.v1.PersistentVolumeClaim|a serviceName=5:s|w|d: podManagementPolicy=6:s updateStrategy=7:StatefulSetUpdateStrategy|v revisionHistoryLimit=8:i minReadySeconds=9:i persistentVolumeClaimRetentionPolicy=10:StatefulSetPersistentVolumeClaimRetentionPolicy ordinals=11:StatefulSetOrdinals
StatefulSetStatus observedGeneration=1:l replicas*=2:i readyReplicas=3:i currentReplicas=4:i updatedReplicas=5:i currentRevision=6:s updateRevision=7:s collisionCount=9:i conditions=10:[]StatefulSetCondition|m:type|p:merge:type availableReplicas=11:i|d:
StatefulSetUpdateStrategy type=1:s rollingUpdate=2:RollingUpdateStatefulSetStrategy
`;
