/** Messages of `autoscaling.v2`: see `../parse.ts` for how they are written. */
export const autoscalingV2 = `
ContainerResourceMetricSource name*=1:s target*=2:MetricTarget|v container*=3:s
ContainerResourceMetricStatus name*=1:s current*=2:MetricValueStatus|v container*=3:s
CrossVersionObjectReference kind*=1:s name*=2:s apiVersion=3:s
ExternalMetricSource metric*=1:MetricIdentifier|v target*=2:MetricTarget|v
ExternalMetricStatus metric*=1:MetricIdentifier|v current*=2:MetricValueStatus|v
HPAScalingPolicy type*=1:s value*=2:i periodSeconds*=3:i
HPAScalingRules stabilizationWindowSeconds=3:i selectPolicy=1:s policies=2:[]HPAScalingPolicy|a tolerance=4:quantity.Quantity
^HorizontalPodAutoscaler metadata=1:meta.v1.ObjectMeta|v spec*=2:HorizontalPodAutoscalerSpec|v status=3:HorizontalPodAutoscalerStatus|v
HorizontalPodAutoscalerBehavior scaleUp=1:HPAScalingRules scaleDown=2:HPAScalingRules
HorizontalPodAutoscalerCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^HorizontalPodAutoscalerList metadata=1:meta.v1.ListMeta|v items*=2:[]HorizontalPodAutoscaler
HorizontalPodAutoscalerSpec scaleTargetRef*=1:CrossVersionObjectReference|v minReplicas=2:i maxReplicas*=3:i metrics=4:[]MetricSpec|a behavior=5:HorizontalPodAutoscalerBehavior
HorizontalPodAutoscalerStatus observedGeneration=1:l lastScaleTime=2:meta.v1.Time currentReplicas=3:i desiredReplicas*=4:i currentMetrics=5:[]MetricStatus|a conditions=6:[]HorizontalPodAutoscalerCondition|m:type|p:merge:type
MetricIdentifier name*=1:s selector=2:meta.v1.LabelSelector
MetricSpec type*=1:s object=2:ObjectMetricSource pods=3:PodsMetricSource resource=4:ResourceMetricSource containerResource=7:ContainerResourceMetricSource external=5:ExternalMetricSource
MetricStatus type*=1:s object=2:ObjectMetricStatus pods=3:PodsMetricStatus resource=4:ResourceMetricStatus containerResource=7:ContainerResourceMetricStatus external=5:ExternalMetricStatus
MetricTarget type*=1:s value=2:quantity.Quantity averageValue=3:quantity.Quantity averageUtilization=4:i
MetricValueStatus value=1:quantity.Quantity averageValue=2:quantity.Quantity averageUtilization=3:i
ObjectMetricSource describedObject*=1:CrossVersionObjectReference|v target*=2:MetricTarget|v metric*=3:MetricIdentifier|v
ObjectMetricStatus metric*=1:MetricIdentifier|v current*=2:MetricValueStatus|v describedObject*=3:CrossVersionObjectReference|v
PodsMetricSource metric*=1:MetricIdentifier|v target*=2:MetricTarget|v
PodsMetricStatus metric*=1:MetricIdentifier|v current*=2:MetricValueStatus|v
ResourceMetricSource name*=1:s target*=2:MetricTarget|v
ResourceMetricStatus name*=1:s current*=2:MetricValueStatus|v
`;
