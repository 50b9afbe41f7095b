/** Messages of `policy.v1`: see `../parse.ts` for how they are written. */
export const policyV1 = `
^Eviction metadata=1:meta.v1.ObjectMeta|v deleteOptions=2:meta.v1.DeleteOptions
^PodDisruptionBudget metadata=1:meta.v1.ObjectMeta|v spec=2:PodDisruptionBudgetSpec|v status=3:PodDisruptionBudgetStatus|v
^PodDisruptionBudgetList metadata=1:meta.v1.ListMeta|v items*=2:[]PodDisruptionBudget
PodDisruptionBudgetSpec minAvailable=1:intstr.IntOrString selector=2:meta.v1.LabelSelector|p:replace maxUnavailable=3:intstr.IntOrString unhealthyPodEvictionPolicy=4:s
PodDisruptionBudgetStatus observedGeneration=1:l disruptedPods=2:{}meta.v1.Time disruptionsAllowed=3:i|d:|w currentHealthy=4:i|d:|w desiredHealthy=5:i|d:|w expectedPods=6:i|d:|w conditions=7:[]meta.v1.Condition|m:type|p:merge:type
`;
