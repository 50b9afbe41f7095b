/** Messages of `discovery.v1`: see `../parse.ts` for how they are written. */
export const discoveryV1 = `
Endpoint addresses*=1:[]s|s conditions=2:EndpointConditions|v hostname=3:s targetRef=4:core.v1.ObjectReference deprecatedTopology=5:{}s nodeName=6:s zone=7:s hints=8:EndpointHints
EndpointConditions ready=1:b serving=2:b terminating=3:b
EndpointHints forZones=1:[]ForZone|a forNodes=2:[]ForNode|a
EndpointPort|A name=1:s protocol=2:s port=3:i appProtocol=4:s
^EndpointSlice metadata=1:meta.v1.ObjectMeta|v addressType*=4:s endpoints=2:[]Endpoint|a|w ports=3:[]EndpointPort|a|w
^EndpointSliceList metadata=1:meta.v1.ListMeta|v items*=2:[]EndpointSlice
ForNode name*=1:s
ForZone name*=1:s
`;
