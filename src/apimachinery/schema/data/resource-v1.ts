/** Messages of `resource.v1`: see `../parse.ts` for how they are written. */
export const resourceV1 = `
AllocatedDeviceStatus driver*=1:s pool*=2:s device*=3:s shareID=7:s conditions=4:[]meta.v1.Condition|m:type data=5:runtime.RawExtension networkData=6:NetworkDeviceData
AllocationResult devices=1:DeviceAllocationResult|v nodeSelector=3:core.v1.NodeSelector allocationTimestamp=5:meta.v1.Time
CELDeviceSelector expression*=1:s
CapacityRequestPolicy default=1:quantity.Quantity validValues=3:[]quantity.Quantity|a validRange=4:CapacityRequestPolicyRange
CapacityRequestPolicyRange min*=1:quantity.Quantity max=2:quantity.Quantity step=3:quantity.Quantity
CapacityRequirements requests=1:{}quantity.Quantity
Counter value*=1:quantity.Quantity
CounterSet name*=1:s counters*=2:{}Counter
Device name*=1:s attributes=2:{}DeviceAttribute capacity=3:{}DeviceCapacity consumesCounters=4:[]DeviceCounterConsumption|a nodeName=5:s nodeSelector=6:core.v1.NodeSelector allNodes=7:b taints=8:[]DeviceTaint|a bindsToNode=9:b bindingConditions=10:[]s|a bindingFailureConditions=11:[]s|a allowMultipleAllocations=12:b nodeAllocatableResourceMappings=13:{}NodeAllocatableResourceMapping
DeviceAllocationConfiguration source*=1:s requests=2:[]s|a deviceConfiguration=3:&DeviceConfiguration
DeviceAllocationResult results=1:[]DeviceRequestAllocationResult|a config=2:[]DeviceAllocationConfiguration|a
DeviceAttribute int=2:l bool=3:b string=4:s version=5:s ints=6:[]l|a bools=7:[]b|a strings=8:[]s|a versions=9:[]s|a
DeviceCapacity value*=1:quantity.Quantity requestPolicy=2:CapacityRequestPolicy
DeviceClaim requests=1:[]DeviceRequest|a|w constraints=2:[]DeviceConstraint|a config=3:[]DeviceClaimConfiguration|a
DeviceClaimConfiguration requests=1:[]s|a deviceConfiguration=2:&DeviceConfiguration
^DeviceClass metadata=1:meta.v1.ObjectMeta|v spec*=2:DeviceClassSpec|v
DeviceClassConfiguration deviceConfiguration=1:&DeviceConfiguration
^DeviceClassList metadata=1:meta.v1.ListMeta|v items*=2:[]DeviceClass
DeviceClassSpec selectors=1:[]DeviceSelector|a config=2:[]DeviceClassConfiguration|a extendedResourceName=4:s
DeviceConfiguration opaque=1:OpaqueDeviceConfiguration
DeviceConstraint requests=1:[]s|a matchAttribute=2:s distinctAttribute=3:s
DeviceCounterConsumption counterSet*=1:s counters*=2:{}Counter
DeviceRequest name*=1:s exactly=2:ExactDeviceRequest firstAvailable=3:[]DeviceSubRequest|a
DeviceRequestAllocationResult request*=1:s driver*=2:s pool*=3:s device*=4:s adminAccess=5:b tolerations=6:[]DeviceToleration|a bindingConditions=7:[]s|a bindingFailureConditions=8:[]s|a shareID=9:s consumedCapacity=10:{}quantity.Quantity
DeviceSelector cel=1:CELDeviceSelector
DeviceSubRequest name*=1:s deviceClassName*=2:s selectors=3:[]DeviceSelector|a allocationMode=4:s count=5:l tolerations=6:[]DeviceToleration|a capacity=7:CapacityRequirements
DeviceTaint key*=1:s value=2:s effect*=3:s timeAdded=4:meta.v1.Time
DeviceToleration key=1:s operator=2:s|d:Equal value=3:s effect=4:s tolerationSeconds=5:l
ExactDeviceRequest deviceClassName*=1:s selectors=2:[]DeviceSelector|a allocationMode=3:s count=4:l adminAccess=5:b tolerations=6:[]DeviceToleration|a capacity=7:CapacityRequirements
NetworkDeviceData interfaceName=1:s ips=2:[]s|a hardwareAddress=3:s
NodeAllocatableResourceMapping capacityKey=1:s allocationMultiplier=2:quantity.Quantity
OpaqueDeviceConfiguration driver*=1:s parameters*=2:runtime.RawExtension
^ResourceClaim metadata=1:meta.v1.ObjectMeta|v spec*=2:ResourceClaimSpec|v status=3:ResourceClaimStatus|v
ResourceClaimConsumerReference apiGroup=1:s resource*=3:s name*=4:s uid*=5:s
^ResourceClaimList metadata=1:meta.v1.ListMeta|v items*=2:[]ResourceClaim
ResourceClaimSpec devices=1:DeviceClaim|v
ResourceClaimStatus allocation=1:AllocationResult reservedFor=2:[]ResourceClaimConsumerReference|m:uid|p:merge:uid devices=4:[]AllocatedDeviceStatus|m:driver+device+pool+shareID
^ResourceClaimTemplate metadata=1:meta.v1.ObjectMeta|v spec*=2:ResourceClaimTemplateSpec|v
^ResourceClaimTemplateList metadata=1:meta.v1.ListMeta|v items*=2:[]ResourceClaimTemplate
ResourceClaimTemplateSpec metadata=1:meta.v1.ObjectMeta|v spec*=2:ResourceClaimSpec|v
ResourcePool name*=1:s generation*=2:l resourceSliceCount*=3:l
^ResourceSlice metadata=1:meta.v1.ObjectMeta|v spec*=2:ResourceSliceSpec|v
^ResourceSliceList metadata=1:meta.v1.ListMeta|v items*=2:[]ResourceSlice
ResourceSliceSpec driver*=1:s pool*=2:ResourcePool|v nodeName=3:s nodeSelector=4:core.v1.NodeSelector allNodes=5:b devices=6:[]Device|a perDeviceNodeSelection=7:b sharedCounters=8:[]CounterSet|a
`;
