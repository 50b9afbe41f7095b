/** Messages of `scheduling.v1`: see `../parse.ts` for how they are written. */
export const schedulingV1 = `
^PriorityClass metadata=1:meta.v1.ObjectMeta|v value=2:i|d:|w globalDefault=3:b description=4:s preemptionPolicy=5:s
^PriorityClassList metadata=1:meta.v1.ListMeta|v items*=2:[]PriorityClass
`;
