/** Messages of `batch.v1`: see `../parse.ts` for how they are written. */
export const batchV1 = `
^CronJob metadata=1:meta.v1.ObjectMeta|v spec*=2:CronJobSpec|v status=3:CronJobStatus|v
^CronJobList metadata=1:meta.v1.ListMeta|v items*=2:[]CronJob
CronJobSpec schedule*=1:s timeZone=8:s startingDeadlineSeconds=2:l concurrencyPolicy=3:s suspend=4:b jobTemplate*=5:JobTemplateSpec|v successfulJobsHistoryLimit=6:i failedJobsHistoryLimit=7:i
CronJobStatus active=1:[]core.v1.ObjectReference|a lastScheduleTime=4:meta.v1.Time lastSuccessfulTime=5:meta.v1.Time
^Job metadata=1:meta.v1.ObjectMeta|v spec=2:JobSpec|v status=3:JobStatus|v
JobCondition type*=1:s status*=2:s lastProbeTime=3:meta.v1.Time|v lastTransitionTime=4:meta.v1.Time|v reason=5:s message=6:s
^JobList metadata=1:meta.v1.ListMeta|v items*=2:[]Job
JobSpec parallelism=1:i completions=2:i activeDeadlineSeconds=3:l podFailurePolicy=11:PodFailurePolicy successPolicy=16:SuccessPolicy backoffLimit=7:i backoffLimitPerIndex=12:i maxFailedIndexes=13:i selector=4:meta.v1.LabelSelector manualSelector=5:b template*=6:core.v1.PodTemplateSpec|v ttlSecondsAfterFinished=8:i completionMode=9:s suspend=10:b podReplacementPolicy=14:s managedBy=15:s
JobStatus conditions=1:[]JobCondition|a|p:merge:type startTime=2:meta.v1.Time completionTime=3:meta.v1.Time active=4:i succeeded=5:i failed=6:i terminating=11:i completedIndexes=7:s failedIndexes=10:s uncountedTerminatedPods=8:UncountedTerminatedPods ready=9:i
JobTemplateSpec metadata=1:meta.v1.ObjectMeta|v spec=2:JobSpec|v
PodFailurePolicy rules*=1:[]PodFailurePolicyRule|a
PodFailurePolicyOnExitCodesRequirement containerName=1:s operator*=2:s values*=3:[]i|s
PodFailurePolicyOnPodConditionsPattern type*=1:s status=2:s|d:
PodFailurePolicyRule action*=1:s onExitCodes=2:PodFailurePolicyOnExitCodesRequirement onPodConditions=3:[]PodFailurePolicyOnPodConditionsPattern|a
SuccessPolicy rules*=1:[]SuccessPolicyRule|a
SuccessPolicyRule succeededIndexes=1:s succeededCount=2:i
UncountedTerminatedPods succeeded=1:[]s|s failed=2:[]s|s
`;
