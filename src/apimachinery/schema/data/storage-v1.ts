/** Messages of `storage.v1`: see `../parse.ts` for how they are written. */
export const storageV1 = `
^CSIDriver metadata=1:meta.v1.ObjectMeta|v spec*=2:CSIDriverSpec|v
^CSIDriverList metadata=1:meta.v1.ListMeta|v items*=2:[]CSIDriver
CSIDriverSpec attachRequired=1:b podInfoOnMount=2:b volumeLifecycleModes=3:[]s|s storageCapacity=4:b fsGroupPolicy=5:s tokenRequests=6:[]TokenRequest|a requiresRepublish=7:b seLinuxMount=8:b nodeAllocatableUpdatePeriodSeconds=9:l serviceAccountTokenInSecrets=10:b preventPodSchedulingIfMissing=11:b
^CSINode metadata=1:meta.v1.ObjectMeta|v spec*=2:CSINodeSpec|v
CSINodeDriver name*=1:s nodeID*=2:s topologyKeys=3:[]s|a|w allocatable=4:VolumeNodeResources
^CSINodeList metadata=1:meta.v1.ListMeta|v items*=2:[]CSINode
CSINodeSpec drivers*=1:[]CSINodeDriver|m:name|p:merge:name
^CSIStorageCapacity metadata=1:meta.v1.ObjectMeta|v nodeTopology=2:meta.v1.LabelSelector storageClassName*=3:s capacity=4:quantity.Quantity maximumVolumeSize=5:quantity.Quantity
^CSIStorageCapacityList metadata=1:meta.v1.ListMeta|v items*=2:[]CSIStorageCapacity
^StorageClass metadata=1:meta.v1.ObjectMeta|v provisioner*=2:s parameters=3:{}s reclaimPolicy=4:s mountOptions=5:[]s|a allowVolumeExpansion=6:b volumeBindingMode=7:s allowedTopologies=8:[]core.v1.TopologySelectorTerm|a
^StorageClassList metadata=1:meta.v1.ListMeta|v items*=2:[]StorageClass
TokenRequest audience*=1:s expirationSeconds=2:l
^VolumeAttachment metadata=1:meta.v1.ObjectMeta|v spec*=2:VolumeAttachmentSpec|v status=3:VolumeAttachmentStatus|v
^VolumeAttachmentList metadata=1:meta.v1.ListMeta|v items*=2:[]VolumeAttachment
VolumeAttachmentSource persistentVolumeName=1:s inlineVolumeSpec=2:core.v1.PersistentVolumeSpec
VolumeAttachmentSpec attacher*=1:s source*=2:VolumeAttachmentSource|v nodeName*=3:s
VolumeAttachmentStatus attached*=1:b attachmentMetadata=2:{}s attachError=3:VolumeError detachError=4:VolumeError
^VolumeAttributesClass metadata=1:meta.v1.ObjectMeta|v driverName*=2:s parameters=3:{}s
^VolumeAttributesClassList metadata=1:meta.v1.ListMeta|v items*=2:[]VolumeAttributesClass
VolumeError time=1:meta.v1.Time|v message=2:s errorCode=3:i
VolumeNodeResources count=1:i
`;
