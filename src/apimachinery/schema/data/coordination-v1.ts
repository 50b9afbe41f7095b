/** Messages of `coordination.v1`: see `../parse.ts` for how they are written. */
export const coordinationV1 = `
^Lease metadata=1:meta.v1.ObjectMeta|v spec=2:LeaseSpec|v
^LeaseList metadata=1:meta.v1.ListMeta|v items*=2:[]Lease
LeaseSpec holderIdentity=1:s leaseDurationSeconds=2:i acquireTime=3:meta.v1.MicroTime renewTime=4:meta.v1.MicroTime leaseTransitions=5:i strategy=6:s preferredHolder=7:s
`;
