/** Messages of `node.v1`: see `../parse.ts` for how they are written. */
export const nodeV1 = `
Overhead podFixed=1:{}quantity.Quantity
^RuntimeClass metadata=1:meta.v1.ObjectMeta|v handler*=2:s overhead=3:Overhead scheduling=4:Scheduling
^RuntimeClassList metadata=1:meta.v1.ListMeta|v items*=2:[]RuntimeClass
Scheduling nodeSelector=1:{}s|A tolerations=2:[]core.v1.Toleration|a
`;
