/** Messages of `autoscaling.v1`: see `../parse.ts` for how they are written. */
export const autoscalingV1 = `
ContainerResourceMetricSource name=1:s targetAverageUtilization=2:i targetAverageValue=3:quantity.Quantity container=5:s
ContainerResourceMetricStatus name=1:s currentAverageUtilization=2:i currentAverageValue=3:quantity.Quantity container=4:s
CrossVersionObjectReference|A kind*=1:s name*=2:s apiVersion=3:s
ExternalMetricSource metricName=1:s metricSelector=2:meta.v1.LabelSelector targetValue=3:quantity.Quantity targetAverageValue=4:quantity.Quantity
ExternalMetricStatus metricName=1:s metricSelector=2:meta.v1.LabelSelector currentValue=3:quantity.Quantity currentAverageValue=4:quantity.Quantity
^HorizontalPodAutoscaler metadata=1:meta.v1.ObjectMeta|v spec*=2:HorizontalPodAutoscalerSpec|v status=3:HorizontalPodAutoscalerStatus|v
HorizontalPodAutoscalerCondition type=1:s status=2:s lastTransitionTime=3:meta.v1.Time reason=4:s message=5:s
^HorizontalPodAutoscalerList metadata=1:meta.v1.ListMeta|v items*=2:[]HorizontalPodAutoscaler
HorizontalPodAutoscalerSpec scaleTargetRef*=1:CrossVersionObjectReference|v minReplicas=2:i maxReplicas*=3:i targetCPUUtilizationPercentage=4:i
HorizontalPodAutoscalerStatus observedGeneration=1:l lastScaleTime=2:meta.v1.Time currentReplicas*=3:i desiredReplicas*=4:i currentCPUUtilizationPercentage=5:i
MetricSpec type=1:s object=2:ObjectMetricSource pods=3:PodsMetricSource resource=4:ResourceMetricSource containerResource=7:ContainerResourceMetricSource external=5:ExternalMetricSource
MetricStatus type=1:s object=2:ObjectMetricStatus pods=3:PodsMetricStatus resource=4:ResourceMetricStatus containerResource=7:ContainerResourceMetricStatus external=5:ExternalMetricStatus
ObjectMetricSource target=1:CrossVersionObjectReference metricName=2:s targetValue=3:quantity.Quantity selector=4:meta.v1.LabelSelector averageValue=5:quantity.Quantity
ObjectMetricStatus target=1:CrossVersionObjectReference metricName=2:s currentValue=3:quantity.Quantity selector=4:meta.v1.LabelSelector averageValue=5:quantity.Quantity
PodsMetricSource metricName=1:s targetAverageValue=2:quantity.Quantity selector=3:meta.v1.LabelSelector
PodsMetricStatus metricName=1:s currentAverageValue=2:quantity.Quantity selector=3:meta.v1.LabelSelector
ResourceMetricSource name=1:s targetAverageUtilization=2:i targetAverageValue=3:quantity.Quantity
ResourceMetricStatus name=1:s currentAverageUtilization=2:i currentAverageValue=3:quantity.Quantity
^Scale metadata=1:meta.v1.ObjectMeta|v spec=2:ScaleSpec|v status=3:ScaleStatus|v
ScaleSpec replicas=1:i|d:
ScaleStatus replicas*=1:i selector=2:s
`;
