/** Messages of `meta.v1`: see `../parse.ts` for how they are written. */
export const metaV1 = `
^APIGroup name*=1:s versions*=2:[]GroupVersionForDiscovery|a preferredVersion=3:GroupVersionForDiscovery|v serverAddressByClientCIDRs=4:[]ServerAddressByClientCIDR|a
^APIGroupList groups=1:[]APIGroup
APIResource name*=1:s singularName*=6:s namespaced*=2:b group=8:s version=9:s kind*=3:s verbs*=4:Verbs shortNames=5:[]s|a categories=7:[]s|a storageVersionHash=10:s
^APIResourceList groupVersion*=1:s resources*=2:[]APIResource|a
^APIVersions versions=1:[]s serverAddressByClientCIDRs=2:[]ServerAddressByClientCIDR
ApplyOptions dryRun=1:[]s force=2:b fieldManager=3:s
Condition type*=1:s status*=2:s observedGeneration=3:l lastTransitionTime*=4:Time|v reason*=5:s message*=6:s
^CreateOptions dryRun=1:[]s fieldManager=3:s fieldValidation=4:s
^DeleteOptions gracePeriodSeconds=1:l preconditions=2:Preconditions orphanDependents=3:b propagationPolicy=4:s dryRun=5:[]s|a ignoreStoreReadErrorWithClusterBreakingPotential=6:b
Duration duration=1:l
FieldSelectorRequirement key*=1:s operator*=2:s values=3:[]s|a
FieldsV1 Raw=1:y
^GetOptions resourceVersion=1:s
GroupKind group=1:s kind=2:s
GroupResource group=1:s resource=2:s
GroupVersion group=1:s version=2:s
GroupVersionForDiscovery groupVersion*=1:s version*=2:s
GroupVersionKind group=1:s version=2:s kind=3:s
GroupVersionResource group=1:s version=2:s resource=3:s
LabelSelector|A matchLabels=1:{}s matchExpressions=2:[]LabelSelectorRequirement|a
LabelSelectorRequirement key*=1:s operator*=2:s values=3:[]s|a
^List metadata=1:ListMeta items=2:[]runtime.RawExtension
ListMeta selfLink=1:s resourceVersion=2:s continue=3:s remainingItemCount=4:l shardInfo=5:ShardInfo
^ListOptions labelSelector=1:s fieldSelector=2:s watch=3:b allowWatchBookmarks=9:b resourceVersion=4:s resourceVersionMatch=10:s timeoutSeconds=5:l limit=7:l continue=8:s sendInitialEvents=11:b shardSelector=15:s
ManagedFieldsEntry manager=1:s operation=2:s apiVersion=3:s time=4:Time fieldsType=6:s fieldsV1=7:FieldsV1 subresource=8:s
MicroTime seconds=1:l nanos=2:i
ObjectMeta name=1:s generateName=2:s namespace=3:s selfLink=4:s uid=5:s resourceVersion=6:s generation=7:l creationTimestamp=8:Time deletionTimestamp=9:Time deletionGracePeriodSeconds=10:l labels=11:{}s annotations=12:{}s ownerReferences=13:[]OwnerReference|m:uid|p:merge:uid finalizers=14:[]s|s|p:merge managedFields=17:[]ManagedFieldsEntry|a
OwnerReference|A apiVersion*=5:s kind*=1:s name*=3:s uid*=4:s controller=6:b blockOwnerDeletion=7:b
^PartialObjectMetadata metadata=1:ObjectMeta
^PartialObjectMetadataList metadata=1:ListMeta items=2:[]PartialObjectMetadata
^PatchOptions dryRun=1:[]s force=2:b fieldManager=3:s fieldValidation=4:s
Preconditions uid=1:s resourceVersion=2:s
RootPaths paths=1:[]s
ServerAddressByClientCIDR clientCIDR*=1:s serverAddress*=2:s
ShardInfo selector*=1:s
^Status metadata=1:ListMeta|v status=2:s message=3:s reason=4:s details=5:StatusDetails code=6:i
StatusCause reason=1:s message=2:s field=3:s
StatusDetails name=1:s group=2:s kind=3:s uid=6:s causes=4:[]StatusCause|a retryAfterSeconds=5:i
TableOptions includeObject=1:s
Time seconds=1:l nanos=2:i
Timestamp seconds=1:l nanos=2:i
TypeMeta kind=1:s apiVersion=2:s
^UpdateOptions dryRun=1:[]s fieldManager=2:s fieldValidation=3:s
Verbs items=1:[]s
WatchEvent type*=1:s object*=2:runtime.RawExtension
`;
