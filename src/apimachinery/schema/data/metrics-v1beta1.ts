/** Messages of `metrics.v1beta1`: see `../parse.ts` for how they are written. */
export const metricsV1beta1 = `
ContainerMetrics name*=1:s usage*=2:{}quantity.Quantity
^NodeMetrics metadata=1:meta.v1.ObjectMeta|v timestamp*=2:meta.v1.Time window*=3:meta.v1.Duration usage*=4:{}quantity.Quantity
^NodeMetricsList metadata=1:meta.v1.ListMeta|v items*=2:[]NodeMetrics
^PodMetrics metadata=1:meta.v1.ObjectMeta|v timestamp*=2:meta.v1.Time window*=3:meta.v1.Duration containers*=4:[]ContainerMetrics
^PodMetricsList metadata=1:meta.v1.ListMeta|v items*=2:[]PodMetrics
`;
