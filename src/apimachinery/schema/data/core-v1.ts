/** Messages of `core.v1`: see `../parse.ts` for how they are written. */
export const coreV1 = `
AWSElasticBlockStoreVolumeSource volumeID*=1:s fsType=2:s partition=3:i readOnly=4:b
Affinity nodeAffinity=1:NodeAffinity podAffinity=2:PodAffinity podAntiAffinity=3:PodAntiAffinity
AppArmorProfile type*=1:s localhostProfile=2:s
AttachedVolume name*=1:s devicePath*=2:s
AvoidPods preferAvoidPods=1:[]PreferAvoidPodsEntry
AzureDiskVolumeSource diskName*=1:s diskURI*=2:s cachingMode=3:s|d:ReadWrite fsType=4:s|d:ext4 readOnly=5:b|d: kind=6:s|d:Shared
AzureFilePersistentVolumeSource secretName*=1:s shareName*=2:s readOnly=3:b secretNamespace=4:s
AzureFileVolumeSource secretName*=1:s shareName*=2:s readOnly=3:b
^Binding metadata=1:meta.v1.ObjectMeta|v target*=2:ObjectReference|v
CSIPersistentVolumeSource driver*=1:s volumeHandle*=2:s readOnly=3:b fsType=4:s volumeAttributes=5:{}s controllerPublishSecretRef=6:SecretReference nodeStageSecretRef=7:SecretReference nodePublishSecretRef=8:SecretReference controllerExpandSecretRef=9:SecretReference nodeExpandSecretRef=10:SecretReference
CSIVolumeSource driver*=1:s readOnly=2:b fsType=3:s volumeAttributes=4:{}s nodePublishSecretRef=5:LocalObjectReference
Capabilities add=1:[]s|a drop=2:[]s|a
CephFSPersistentVolumeSource monitors*=1:[]s|a path=2:s user=3:s secretFile=4:s secretRef=5:SecretReference readOnly=6:b
CephFSVolumeSource monitors*=1:[]s|a path=2:s user=3:s secretFile=4:s secretRef=5:LocalObjectReference readOnly=6:b
CinderPersistentVolumeSource volumeID*=1:s fsType=2:s readOnly=3:b secretRef=4:SecretReference
CinderVolumeSource volumeID*=1:s fsType=2:s readOnly=3:b secretRef=4:LocalObjectReference
ClientIPConfig timeoutSeconds=1:i
ClusterTrustBundleProjection name=1:s signerName=2:s labelSelector=3:meta.v1.LabelSelector optional=5:b path*=4:s
ComponentCondition type*=1:s status*=2:s message=3:s error=4:s
^ComponentStatus metadata=1:meta.v1.ObjectMeta|v conditions=2:[]ComponentCondition|m:type|p:merge:type
^ComponentStatusList metadata=1:meta.v1.ListMeta|v items*=2:[]ComponentStatus
^ConfigMap metadata=1:meta.v1.ObjectMeta|v immutable=4:b data=2:{}s binaryData=3:{}y
ConfigMapEnvSource localObjectReference=1:&LocalObjectReference optional=2:b
ConfigMapKeySelector|A localObjectReference=1:&LocalObjectReference key*=2:s optional=3:b
^ConfigMapList metadata=1:meta.v1.ListMeta|v items*=2:[]ConfigMap
ConfigMapNodeConfigSource namespace*=1:s name*=2:s uid=3:s resourceVersion=4:s kubeletConfigKey*=5:s
ConfigMapProjection localObjectReference=1:&LocalObjectReference items=2:[]KeyToPath|a optional=4:b
ConfigMapVolumeSource localObjectReference=1:&LocalObjectReference items=2:[]KeyToPath|a defaultMode=3:i optional=4:b
Container name*=1:s image=2:s command=3:[]s|a args=4:[]s|a workingDir=5:s ports=6:[]ContainerPort|m:containerPort+protocol|p:merge:containerPort envFrom=19:[]EnvFromSource|a env=7:[]EnvVar|m:name|p:merge:name resources=8:ResourceRequirements|v resizePolicy=23:[]ContainerResizePolicy|a restartPolicy=24:s restartPolicyRules=25:[]ContainerRestartRule|a volumeMounts=9:[]VolumeMount|m:mountPath|p:merge:mountPath volumeDevices=21:[]VolumeDevice|m:devicePath|p:merge:devicePath livenessProbe=10:Probe readinessProbe=11:Probe startupProbe=22:Probe lifecycle=12:Lifecycle terminationMessagePath=13:s terminationMessagePolicy=20:s imagePullPolicy=14:s securityContext=15:SecurityContext stdin=16:b stdinOnce=17:b tty=18:b
ContainerExtendedResourceRequest containerName*=1:s resourceName*=2:s requestName*=3:s
ContainerImage names=1:[]s|a sizeBytes=2:l
ContainerPort name=1:s hostPort=2:i containerPort*=3:i protocol=4:s|d:TCP hostIP=5:s
ContainerResizePolicy resourceName*=1:s restartPolicy*=2:s
ContainerRestartRule action*=1:s exitCodes=2:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes operator*=1:s values=2:[]i|s
ContainerState waiting=1:ContainerStateWaiting running=2:ContainerStateRunning terminated=3:ContainerStateTerminated
ContainerStateRunning startedAt=1:meta.v1.Time|v
ContainerStateTerminated exitCode*=1:i signal=2:i reason=3:s message=4:s startedAt=5:meta.v1.Time|v finishedAt=6:meta.v1.Time|v containerID=7:s
ContainerStateWaiting reason=1:s message=2:s
ContainerStatus name*=1:s state=2:ContainerState|v lastState=3:ContainerState|v ready*=4:b restartCount*=5:i image*=6:s imageID*=7:s containerID=8:s started=9:b allocatedResources=10:{}quantity.Quantity resources=11:ResourceRequirements volumeMounts=12:[]VolumeMountStatus|m:mountPath|p:merge:mountPath user=13:ContainerUser allocatedResourcesStatus=14:[]ResourceStatus|m:name|p:merge:name stopSignal=15:s
ContainerUser linux=1:LinuxContainerUser
DaemonEndpoint Port*=1:i
DownwardAPIProjection items=1:[]DownwardAPIVolumeFile|a
DownwardAPIVolumeFile path*=1:s fieldRef=2:ObjectFieldSelector resourceFieldRef=3:ResourceFieldSelector mode=4:i
DownwardAPIVolumeSource items=1:[]DownwardAPIVolumeFile|a defaultMode=2:i
EmptyDirVolumeSource medium=1:s sizeLimit=2:quantity.Quantity
EndpointAddress|A ip*=1:s hostname=3:s nodeName=4:s targetRef=2:ObjectReference
EndpointPort|A name=1:s port*=2:i protocol=3:s appProtocol=4:s
EndpointSubset addresses=1:[]EndpointAddress|a notReadyAddresses=2:[]EndpointAddress|a ports=3:[]EndpointPort|a
^Endpoints metadata=1:meta.v1.ObjectMeta|v subsets=2:[]EndpointSubset|a
^EndpointsList metadata=1:meta.v1.ListMeta|v items*=2:[]Endpoints
EnvFromSource prefix=1:s configMapRef=2:ConfigMapEnvSource secretRef=3:SecretEnvSource
EnvVar name*=1:s value=2:s valueFrom=3:EnvVarSource
EnvVarSource fieldRef=1:ObjectFieldSelector resourceFieldRef=2:ResourceFieldSelector configMapKeyRef=3:ConfigMapKeySelector secretKeyRef=4:SecretKeySelector fileKeyRef=5:FileKeySelector
EphemeralContainer ephemeralContainerCommon=1:&EphemeralContainerCommon targetContainerName=2:s
EphemeralContainerCommon name*=1:s image=2:s command=3:[]s|a args=4:[]s|a workingDir=5:s ports=6:[]ContainerPort|m:containerPort+protocol|p:merge:containerPort envFrom=19:[]EnvFromSource|a env=7:[]EnvVar|m:name|p:merge:name resources=8:ResourceRequirements resizePolicy=23:[]ContainerResizePolicy|a restartPolicy=24:s restartPolicyRules=25:[]ContainerRestartRule|a volumeMounts=9:[]VolumeMount|m:mountPath|p:merge:mountPath volumeDevices=21:[]VolumeDevice|m:devicePath|p:merge:devicePath livenessProbe=10:Probe readinessProbe=11:Probe startupProbe=22:Probe lifecycle=12:Lifecycle terminationMessagePath=13:s terminationMessagePolicy=20:s imagePullPolicy=14:s securityContext=15:SecurityContext stdin=16:b stdinOnce=17:b tty=18:b
EphemeralVolumeSource volumeClaimTemplate=1:PersistentVolumeClaimTemplate
^Event metadata*=1:meta.v1.ObjectMeta|v involvedObject*=2:ObjectReference|v reason=3:s message=4:s source=5:EventSource|v firstTimestamp=6:meta.v1.Time|v lastTimestamp=7:meta.v1.Time|v count=8:i type=9:s eventTime=10:meta.v1.MicroTime|v series=11:EventSeries action=12:s related=13:ObjectReference reportingComponent=14:s|d:|w reportingInstance=15:s|d:|w
^EventList metadata=1:meta.v1.ListMeta|v items*=2:[]Event
EventSeries count=1:i lastObservedTime=2:meta.v1.MicroTime|v
EventSource component=1:s host=2:s
ExecAction command=1:[]s|a
FCVolumeSource targetWWNs=1:[]s|a lun=2:i fsType=3:s readOnly=4:b wwids=5:[]s|a
FileKeySelector|A volumeName*=1:s path*=2:s key*=3:s optional=4:b|d:
FlexPersistentVolumeSource driver*=1:s fsType=2:s secretRef=3:SecretReference readOnly=4:b options=5:{}s
FlexVolumeSource driver*=1:s fsType=2:s secretRef=3:LocalObjectReference readOnly=4:b options=5:{}s
FlockerVolumeSource datasetName=1:s datasetUUID=2:s
GCEPersistentDiskVolumeSource pdName*=1:s fsType=2:s partition=3:i readOnly=4:b
GRPCAction port*=1:i service=2:s|d:
GitRepoVolumeSource repository*=1:s revision=2:s directory=3:s
GlusterfsPersistentVolumeSource endpoints*=1:s path*=2:s readOnly=3:b endpointsNamespace=4:s
GlusterfsVolumeSource endpoints*=1:s path*=2:s readOnly=3:b
HTTPGetAction path=1:s port*=2:intstr.IntOrString host=3:s scheme=4:s httpHeaders=5:[]HTTPHeader|a
HTTPHeader name*=1:s value*=2:s
HostAlias ip*=1:s hostnames=2:[]s|a
HostIP ip*=1:s
HostPathVolumeSource path*=1:s type=2:s
ISCSIPersistentVolumeSource targetPortal*=1:s iqn*=2:s lun*=3:i iscsiInterface=4:s|d:default fsType=5:s readOnly=6:b portals=7:[]s|a chapAuthDiscovery=8:b chapAuthSession=11:b secretRef=10:SecretReference initiatorName=12:s
ISCSIVolumeSource targetPortal*=1:s iqn*=2:s lun*=3:i iscsiInterface=4:s|d:default fsType=5:s readOnly=6:b portals=7:[]s|a chapAuthDiscovery=8:b chapAuthSession=11:b secretRef=10:LocalObjectReference initiatorName=12:s
ImageVolumeSource reference=1:s pullPolicy=2:s
ImageVolumeStatus imageRef*=1:s
KeyToPath key*=1:s path*=2:s mode=3:i
Lifecycle postStart=1:LifecycleHandler preStop=2:LifecycleHandler stopSignal=3:s
LifecycleHandler exec=1:ExecAction httpGet=2:HTTPGetAction tcpSocket=3:TCPSocketAction sleep=4:SleepAction
^LimitRange metadata=1:meta.v1.ObjectMeta|v spec=2:LimitRangeSpec|v
LimitRangeItem type*=1:s max=2:{}quantity.Quantity min=3:{}quantity.Quantity default=4:{}quantity.Quantity defaultRequest=5:{}quantity.Quantity maxLimitRequestRatio=6:{}quantity.Quantity
^LimitRangeList metadata=1:meta.v1.ListMeta|v items*=2:[]LimitRange
LimitRangeSpec limits*=1:[]LimitRangeItem|a
LinuxContainerUser uid*=1:l gid*=2:l supplementalGroups=3:[]l|a
^List metadata=1:meta.v1.ListMeta items=2:[]runtime.RawExtension
LoadBalancerIngress ip=1:s hostname=2:s ipMode=3:s ports=4:[]PortStatus|a
LoadBalancerStatus ingress=1:[]LoadBalancerIngress|a
LocalObjectReference|A name=1:s|d:
LocalVolumeSource path*=1:s fsType=2:s
ModifyVolumeStatus targetVolumeAttributesClassName=1:s status*=2:s
NFSVolumeSource server*=1:s path*=2:s readOnly=3:b
^Namespace metadata=1:meta.v1.ObjectMeta|v spec=2:NamespaceSpec|v status=3:NamespaceStatus|v
NamespaceCondition type*=1:s status*=2:s lastTransitionTime=4:meta.v1.Time|v reason=5:s message=6:s
^NamespaceList metadata=1:meta.v1.ListMeta|v items*=2:[]Namespace
NamespaceSpec finalizers=1:[]s|a
NamespaceStatus phase=1:s conditions=2:[]NamespaceCondition|m:type|p:merge:type
^Node metadata=1:meta.v1.ObjectMeta|v spec=2:NodeSpec|v status=3:NodeStatus|v
NodeAddress type*=1:s address*=2:s
NodeAffinity requiredDuringSchedulingIgnoredDuringExecution=1:NodeSelector preferredDuringSchedulingIgnoredDuringExecution=2:[]PreferredSchedulingTerm|a
NodeAllocatableResourceClaimStatus resourceClaimName*=1:s containers=2:[]s|s resources*=3:{}quantity.Quantity
NodeCondition type*=1:s status*=2:s lastHeartbeatTime=3:meta.v1.Time|v lastTransitionTime=4:meta.v1.Time|v reason=5:s message=6:s
NodeConfigSource configMap=2:ConfigMapNodeConfigSource
NodeConfigStatus assigned=1:NodeConfigSource active=2:NodeConfigSource lastKnownGood=3:NodeConfigSource error=4:s
NodeDaemonEndpoints kubeletEndpoint=1:DaemonEndpoint|v
NodeFeatures supplementalGroupsPolicy=1:b
^NodeList metadata=1:meta.v1.ListMeta|v items*=2:[]Node
^NodeProxyOptions path=1:s
NodeRuntimeHandler name=1:s|d: features=2:NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures recursiveReadOnlyMounts=1:b userNamespaces=2:b
NodeSelector|A nodeSelectorTerms*=1:[]NodeSelectorTerm|a
NodeSelectorRequirement key*=1:s operator*=2:s values=3:[]s|a
NodeSelectorTerm|A matchExpressions=1:[]NodeSelectorRequirement|a matchFields=2:[]NodeSelectorRequirement|a
NodeSpec podCIDR=1:s podCIDRs=7:[]s|s|p:merge providerID=3:s unschedulable=4:b taints=5:[]Taint|a configSource=6:NodeConfigSource externalID=2:s
NodeStatus capacity=1:{}quantity.Quantity allocatable=2:{}quantity.Quantity phase=3:s conditions=4:[]NodeCondition|m:type|p:merge:type addresses=5:[]NodeAddress|m:type|p:merge:type daemonEndpoints=6:NodeDaemonEndpoints|v nodeInfo=7:NodeSystemInfo|v images=8:[]ContainerImage|a volumesInUse=9:[]s|a volumesAttached=10:[]AttachedVolume|a config=11:NodeConfigStatus runtimeHandlers=12:[]NodeRuntimeHandler|a features=13:NodeFeatures declaredFeatures=14:[]s|a
NodeSwapStatus capacity=1:l
NodeSystemInfo machineID*=1:s systemUUID*=2:s bootID*=3:s kernelVersion*=4:s osImage*=5:s containerRuntimeVersion*=6:s kubeletVersion*=7:s kubeProxyVersion*=8:s operatingSystem*=9:s architecture*=10:s swap=11:NodeSwapStatus
ObjectFieldSelector|A apiVersion=1:s fieldPath*=2:s
ObjectReference|A kind=1:s namespace=2:s name=3:s uid=4:s apiVersion=5:s resourceVersion=6:s fieldPath=7:s
^PersistentVolume metadata=1:meta.v1.ObjectMeta|v spec=2:PersistentVolumeSpec|v status=3:PersistentVolumeStatus|v
^PersistentVolumeClaim metadata=1:meta.v1.ObjectMeta|v spec=2:PersistentVolumeClaimSpec|v status=3:PersistentVolumeClaimStatus|v
PersistentVolumeClaimCondition type*=1:s status*=2:s lastProbeTime=3:meta.v1.Time|v lastTransitionTime=4:meta.v1.Time|v reason=5:s message=6:s
^PersistentVolumeClaimList metadata=1:meta.v1.ListMeta|v items*=2:[]PersistentVolumeClaim
PersistentVolumeClaimSpec accessModes=1:[]s|a selector=4:meta.v1.LabelSelector resources=2:VolumeResourceRequirements|v volumeName=3:s storageClassName=5:s volumeMode=6:s dataSource=7:TypedLocalObjectReference dataSourceRef=8:TypedObjectReference volumeAttributesClassName=9:s
PersistentVolumeClaimStatus phase=1:s accessModes=2:[]s|a capacity=3:{}quantity.Quantity conditions=4:[]PersistentVolumeClaimCondition|m:type|p:merge:type allocatedResources=5:{}quantity.Quantity allocatedResourceStatuses=7:{}s|G currentVolumeAttributesClassName=8:s modifyVolumeStatus=9:ModifyVolumeStatus
PersistentVolumeClaimTemplate metadata=1:meta.v1.ObjectMeta|v spec*=2:PersistentVolumeClaimSpec|v
PersistentVolumeClaimVolumeSource claimName*=1:s readOnly=2:b
^PersistentVolumeList metadata=1:meta.v1.ListMeta|v items*=2:[]PersistentVolume
PersistentVolumeSource gcePersistentDisk=1:GCEPersistentDiskVolumeSource awsElasticBlockStore=2:AWSElasticBlockStoreVolumeSource hostPath=3:HostPathVolumeSource glusterfs=4:GlusterfsPersistentVolumeSource nfs=5:NFSVolumeSource rbd=6:RBDPersistentVolumeSource iscsi=7:ISCSIPersistentVolumeSource cinder=8:CinderPersistentVolumeSource cephfs=9:CephFSPersistentVolumeSource fc=10:FCVolumeSource flocker=11:FlockerVolumeSource flexVolume=12:FlexPersistentVolumeSource azureFile=13:AzureFilePersistentVolumeSource vsphereVolume=14:VsphereVirtualDiskVolumeSource quobyte=15:QuobyteVolumeSource azureDisk=16:AzureDiskVolumeSource photonPersistentDisk=17:PhotonPersistentDiskVolumeSource portworxVolume=18:PortworxVolumeSource scaleIO=19:ScaleIOPersistentVolumeSource local=20:LocalVolumeSource storageos=21:StorageOSPersistentVolumeSource csi=22:CSIPersistentVolumeSource
PersistentVolumeSpec capacity=1:{}quantity.Quantity persistentVolumeSource=2:&PersistentVolumeSource accessModes=3:[]s|a claimRef=4:ObjectReference|G persistentVolumeReclaimPolicy=5:s storageClassName=6:s mountOptions=7:[]s|a volumeMode=8:s nodeAffinity=9:VolumeNodeAffinity volumeAttributesClassName=10:s
PersistentVolumeStatus phase=1:s message=2:s reason=3:s lastPhaseTransitionTime=4:meta.v1.Time
PhotonPersistentDiskVolumeSource pdID*=1:s fsType=2:s
^Pod metadata=1:meta.v1.ObjectMeta|v spec=2:PodSpec|v status=3:PodStatus|v
PodAffinity requiredDuringSchedulingIgnoredDuringExecution=1:[]PodAffinityTerm|a preferredDuringSchedulingIgnoredDuringExecution=2:[]WeightedPodAffinityTerm|a
PodAffinityTerm labelSelector=1:meta.v1.LabelSelector namespaces=2:[]s|a topologyKey*=3:s namespaceSelector=4:meta.v1.LabelSelector matchLabelKeys=5:[]s|a mismatchLabelKeys=6:[]s|a
PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution=1:[]PodAffinityTerm|a preferredDuringSchedulingIgnoredDuringExecution=2:[]WeightedPodAffinityTerm|a
^PodAttachOptions stdin=1:b stdout=2:b stderr=3:b tty=4:b container=5:s
PodCertificateProjection signerName*=1:s keyType*=2:s maxExpirationSeconds=3:i credentialBundlePath=4:s keyPath=5:s certificateChainPath=6:s userAnnotations=7:{}s
PodCondition type*=1:s observedGeneration=7:l status*=2:s lastProbeTime=3:meta.v1.Time|v lastTransitionTime=4:meta.v1.Time|v reason=5:s message=6:s
PodDNSConfig nameservers=1:[]s|a searches=2:[]s|a options=3:[]PodDNSConfigOption|a
PodDNSConfigOption name=1:s value=2:s
^PodExecOptions stdin=1:b stdout=2:b stderr=3:b tty=4:b container=5:s command=6:[]s
PodExtendedResourceClaimStatus requestMappings*=1:[]ContainerExtendedResourceRequest|a resourceClaimName*=2:s
PodIP ip*=1:s
^PodList metadata=1:meta.v1.ListMeta|v items*=2:[]Pod
^PodLogOptions container=1:s follow=2:b previous=3:b sinceSeconds=4:l sinceTime=5:meta.v1.Time timestamps=6:b tailLines=7:l limitBytes=8:l insecureSkipTLSVerifyBackend=9:b stream=10:s
PodOS name*=1:s
^PodPortForwardOptions ports=1:[]i
^PodProxyOptions path=1:s
PodReadinessGate conditionType*=1:s
PodResourceClaim name*=1:s resourceClaimName=3:s resourceClaimTemplateName=4:s
PodResourceClaimStatus name*=1:s resourceClaimName=2:s
PodSchedulingGate name*=1:s
PodSchedulingGroup podGroupName=1:s
PodSecurityContext seLinuxOptions=1:SELinuxOptions windowsOptions=8:WindowsSecurityContextOptions runAsUser=2:l runAsGroup=6:l runAsNonRoot=3:b supplementalGroups=4:[]l|a supplementalGroupsPolicy=12:s fsGroup=5:l sysctls=7:[]Sysctl|a fsGroupChangePolicy=9:s seccompProfile=10:SeccompProfile appArmorProfile=11:AppArmorProfile seLinuxChangePolicy=13:s
PodSignature podController=1:meta.v1.OwnerReference
PodSpec volumes=1:[]Volume|m:name|p:merge,retainKeys:name initContainers=20:[]Container|m:name|p:merge:name containers*=2:[]Container|m:name|p:merge:name ephemeralContainers=34:[]EphemeralContainer|m:name|p:merge:name restartPolicy=3:s terminationGracePeriodSeconds=4:l activeDeadlineSeconds=5:l dnsPolicy=6:s nodeSelector=7:{}s|A serviceAccountName=8:s serviceAccount=9:s automountServiceAccountToken=21:b nodeName=10:s hostNetwork=11:b hostPID=12:b hostIPC=13:b shareProcessNamespace=27:b securityContext=14:PodSecurityContext imagePullSecrets=15:[]LocalObjectReference|m:name|p:merge:name hostname=16:s subdomain=17:s affinity=18:Affinity schedulerName=19:s tolerations=22:[]Toleration|a hostAliases=23:[]HostAlias|m:ip|p:merge:ip priorityClassName=24:s priority=25:i dnsConfig=26:PodDNSConfig readinessGates=28:[]PodReadinessGate|a runtimeClassName=29:s enableServiceLinks=30:b preemptionPolicy=31:s overhead=32:{}quantity.Quantity topologySpreadConstraints=33:[]TopologySpreadConstraint|m:topologyKey+whenUnsatisfiable|p:merge:topologyKey setHostnameAsFQDN=35:b os=36:PodOS hostUsers=37:b schedulingGates=38:[]PodSchedulingGate|m:name|p:merge:name resourceClaims=39:[]PodResourceClaim|m:name|p:merge,retainKeys:name resources=40:ResourceRequirements hostnameOverride=41:s schedulingGroup=43:PodSchedulingGroup
PodStatus observedGeneration=17:l phase=1:s conditions=2:[]PodCondition|m:type|p:merge:type message=3:s reason=4:s nominatedNodeName=11:s hostIP=5:s hostIPs=16:[]HostIP|a|p:merge:ip podIP=6:s podIPs=12:[]PodIP|m:ip|p:merge:ip startTime=7:meta.v1.Time initContainerStatuses=10:[]ContainerStatus|a containerStatuses=8:[]ContainerStatus|a qosClass=9:s ephemeralContainerStatuses=13:[]ContainerStatus|a resize=14:s resourceClaimStatuses=15:[]PodResourceClaimStatus|m:name|p:merge,retainKeys:name extendedResourceClaimStatus=18:PodExtendedResourceClaimStatus allocatedResources=19:{}quantity.Quantity resources=20:ResourceRequirements nodeAllocatableResourceClaimStatuses=21:[]NodeAllocatableResourceClaimStatus|a
^PodStatusResult metadata=1:meta.v1.ObjectMeta status=2:PodStatus
^PodTemplate metadata=1:meta.v1.ObjectMeta|v template=2:PodTemplateSpec|v
^PodTemplateList metadata=1:meta.v1.ListMeta|v items*=2:[]PodTemplate
PodTemplateSpec metadata=1:meta.v1.ObjectMeta|v spec=2:PodSpec|v
PortStatus port*=1:i protocol*=2:s error=3:s
PortworxVolumeSource volumeID*=1:s fsType=2:s readOnly=3:b
Preconditions uid=1:s
PreferAvoidPodsEntry podSignature=1:PodSignature evictionTime=2:meta.v1.Time reason=3:s message=4:s
PreferredSchedulingTerm weight*=1:i preference*=2:NodeSelectorTerm|v
Probe handler=1:&ProbeHandler initialDelaySeconds=2:i timeoutSeconds=3:i periodSeconds=4:i successThreshold=5:i failureThreshold=6:i terminationGracePeriodSeconds=7:l
ProbeHandler exec=1:ExecAction httpGet=2:HTTPGetAction tcpSocket=3:TCPSocketAction grpc=4:GRPCAction
ProjectedVolumeSource sources=1:[]VolumeProjection|a|w defaultMode=2:i
QuobyteVolumeSource registry*=1:s volume*=2:s readOnly=3:b user=4:s group=5:s tenant=6:s
RBDPersistentVolumeSource monitors*=1:[]s|a image*=2:s fsType=3:s pool=4:s|d:rbd user=5:s|d:admin keyring=6:s|d:/etc/ceph/keyring secretRef=7:SecretReference readOnly=8:b
RBDVolumeSource monitors*=1:[]s|a image*=2:s fsType=3:s pool=4:s|d:rbd user=5:s|d:admin keyring=6:s|d:/etc/ceph/keyring secretRef=7:LocalObjectReference readOnly=8:b
^RangeAllocation metadata=1:meta.v1.ObjectMeta range=2:s data=3:y
^ReplicationController metadata=1:meta.v1.ObjectMeta|v spec=2:ReplicationControllerSpec|v status=3:ReplicationControllerStatus|v
ReplicationControllerCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^ReplicationControllerList metadata=1:meta.v1.ListMeta|v items*=2:[]ReplicationController
ReplicationControllerSpec replicas=1:i|d:1 minReadySeconds=4:i|d: selector=2:{}s|A template=3:PodTemplateSpec
ReplicationControllerStatus replicas*=1:i fullyLabeledReplicas=2:i readyReplicas=4:i availableReplicas=5:i observedGeneration=3:l conditions=6:[]ReplicationControllerCondition|m:type|p:merge:type
ResourceClaim name*=1:s request=2:s
ResourceFieldSelector|A containerName=1:s resource*=2:s divisor=3:quantity.Quantity
ResourceHealth resourceID*=1:s health=2:s message=6:s
^ResourceQuota metadata=1:meta.v1.ObjectMeta|v spec=2:ResourceQuotaSpec|v status=3:ResourceQuotaStatus|v
^ResourceQuotaList metadata=1:meta.v1.ListMeta|v items*=2:[]ResourceQuota
ResourceQuotaSpec hard=1:{}quantity.Quantity scopes=2:[]s|a scopeSelector=3:ScopeSelector
ResourceQuotaStatus hard=1:{}quantity.Quantity used=2:{}quantity.Quantity
ResourceRequirements limits=1:{}quantity.Quantity requests=2:{}quantity.Quantity claims=3:[]ResourceClaim|m:name
ResourceStatus name*=1:s resources=2:[]ResourceHealth|m:resourceID
SELinuxOptions user=1:s role=2:s type=3:s level=4:s
ScaleIOPersistentVolumeSource gateway*=1:s system*=2:s secretRef*=3:SecretReference sslEnabled=4:b protectionDomain=5:s storagePool=6:s storageMode=7:s|d:ThinProvisioned volumeName=8:s fsType=9:s|d:xfs readOnly=10:b
ScaleIOVolumeSource gateway*=1:s system*=2:s secretRef*=3:LocalObjectReference sslEnabled=4:b protectionDomain=5:s storagePool=6:s storageMode=7:s|d:ThinProvisioned volumeName=8:s fsType=9:s|d:xfs readOnly=10:b
ScopeSelector|A matchExpressions=1:[]ScopedResourceSelectorRequirement|a
ScopedResourceSelectorRequirement scopeName*=1:s operator*=2:s values=3:[]s|a
SeccompProfile type*=1:s localhostProfile=2:s
^Secret metadata=1:meta.v1.ObjectMeta|v immutable=5:b data=2:{}y stringData=4:{}s type=3:s
SecretEnvSource localObjectReference=1:&LocalObjectReference optional=2:b
SecretKeySelector|A localObjectReference=1:&LocalObjectReference key*=2:s optional=3:b
^SecretList metadata=1:meta.v1.ListMeta|v items*=2:[]Secret
SecretProjection localObjectReference=1:&LocalObjectReference items=2:[]KeyToPath|a optional=4:b
SecretReference|A name=1:s namespace=2:s
SecretVolumeSource secretName=1:s items=2:[]KeyToPath|a defaultMode=3:i optional=4:b
SecurityContext capabilities=1:Capabilities privileged=2:b seLinuxOptions=3:SELinuxOptions windowsOptions=10:WindowsSecurityContextOptions runAsUser=4:l runAsGroup=8:l runAsNonRoot=5:b readOnlyRootFilesystem=6:b allowPrivilegeEscalation=7:b procMount=9:s seccompProfile=11:SeccompProfile appArmorProfile=12:AppArmorProfile
^SerializedReference reference=1:ObjectReference
^Service metadata=1:meta.v1.ObjectMeta|v spec=2:ServiceSpec|v status=3:ServiceStatus|v
^ServiceAccount metadata=1:meta.v1.ObjectMeta|v secrets=2:[]ObjectReference|m:name|p:merge:name imagePullSecrets=3:[]LocalObjectReference|a automountServiceAccountToken=4:b
^ServiceAccountList metadata=1:meta.v1.ListMeta|v items*=2:[]ServiceAccount
ServiceAccountTokenProjection audience=1:s expirationSeconds=2:l path*=3:s
^ServiceList metadata=1:meta.v1.ListMeta|v items*=2:[]Service
ServicePort name=1:s protocol=2:s|d:TCP appProtocol=6:s port*=3:i targetPort=4:intstr.IntOrString nodePort=5:i
^ServiceProxyOptions path=1:s
ServiceSpec ports=1:[]ServicePort|m:port+protocol|p:merge:port selector=2:{}s|A clusterIP=3:s clusterIPs=18:[]s|a type=4:s externalIPs=5:[]s|a sessionAffinity=7:s loadBalancerIP=8:s loadBalancerSourceRanges=9:[]s|a externalName=10:s externalTrafficPolicy=11:s healthCheckNodePort=12:i publishNotReadyAddresses=13:b sessionAffinityConfig=14:SessionAffinityConfig ipFamilies=19:[]s|a ipFamilyPolicy=17:s allocateLoadBalancerNodePorts=20:b loadBalancerClass=21:s internalTrafficPolicy=22:s trafficDistribution=23:s
ServiceStatus loadBalancer=1:LoadBalancerStatus|v conditions=2:[]meta.v1.Condition|m:type|p:merge:type
SessionAffinityConfig clientIP=1:ClientIPConfig
SleepAction seconds*=1:l
StorageOSPersistentVolumeSource volumeName=1:s volumeNamespace=2:s fsType=3:s readOnly=4:b secretRef=5:ObjectReference
StorageOSVolumeSource volumeName=1:s volumeNamespace=2:s fsType=3:s readOnly=4:b secretRef=5:LocalObjectReference
Sysctl name*=1:s value*=2:s
TCPSocketAction port*=1:intstr.IntOrString host=2:s
Taint key*=1:s value=2:s effect*=3:s timeAdded=4:meta.v1.Time
Toleration key=1:s operator=2:s value=3:s effect=4:s tolerationSeconds=5:l
TopologySelectorLabelRequirement key*=1:s values*=2:[]s|a
TopologySelectorTerm|A matchLabelExpressions=1:[]TopologySelectorLabelRequirement|a
TopologySpreadConstraint maxSkew*=1:i topologyKey*=2:s whenUnsatisfiable*=3:s labelSelector=4:meta.v1.LabelSelector minDomains=5:i nodeAffinityPolicy=6:s nodeTaintsPolicy=7:s matchLabelKeys=8:[]s|a
TypedLocalObjectReference|A apiGroup=1:s kind*=2:s name*=3:s
TypedObjectReference apiGroup=1:s kind*=2:s name*=3:s namespace=4:s
Volume name*=1:s volumeSource=2:&VolumeSource
VolumeDevice name*=1:s devicePath*=2:s
VolumeMount name*=1:s readOnly=2:b recursiveReadOnly=7:s mountPath*=3:s subPath=4:s mountPropagation=5:s subPathExpr=6:s
VolumeMountStatus name*=1:s mountPath*=2:s readOnly=3:b recursiveReadOnly=4:s volumeStatus=5:VolumeStatus
VolumeNodeAffinity required=1:NodeSelector
VolumeProjection secret=1:SecretProjection downwardAPI=2:DownwardAPIProjection configMap=3:ConfigMapProjection serviceAccountToken=4:ServiceAccountTokenProjection clusterTrustBundle=5:ClusterTrustBundleProjection podCertificate=6:PodCertificateProjection
VolumeResourceRequirements limits=1:{}quantity.Quantity requests=2:{}quantity.Quantity
VolumeSource hostPath=1:HostPathVolumeSource emptyDir=2:EmptyDirVolumeSource gcePersistentDisk=3:GCEPersistentDiskVolumeSource awsElasticBlockStore=4:AWSElasticBlockStoreVolumeSource gitRepo=5:GitRepoVolumeSource secret=6:SecretVolumeSource nfs=7:NFSVolumeSource iscsi=8:ISCSIVolumeSource glusterfs=9:GlusterfsVolumeSource persistentVolumeClaim=10:PersistentVolumeClaimVolumeSource rbd=11:RBDVolumeSource flexVolume=12:FlexVolumeSource cinder=13:CinderVolumeSource cephfs=14:CephFSVolumeSource flocker=15:FlockerVolumeSource downwardAPI=16:DownwardAPIVolumeSource fc=17:FCVolumeSource azureFile=18:AzureFileVolumeSource configMap=19:ConfigMapVolumeSource vsphereVolume=20:VsphereVirtualDiskVolumeSource quobyte=21:QuobyteVolumeSource azureDisk=22:AzureDiskVolumeSource photonPersistentDisk=23:PhotonPersistentDiskVolumeSource projected=26:ProjectedVolumeSource portworxVolume=24:PortworxVolumeSource scaleIO=25:ScaleIOVolumeSource storageos=27:StorageOSVolumeSource csi=28:CSIVolumeSource ephemeral=29:EphemeralVolumeSource image=30:ImageVolumeSource
VolumeStatus image=1:ImageVolumeStatus
VsphereVirtualDiskVolumeSource volumePath*=1:s fsType=2:s storagePolicyName=3:s storagePolicyID=4:s
WeightedPodAffinityTerm weight*=1:i podAffinityTerm*=2:PodAffinityTerm|v
WindowsSecurityContextOptions gmsaCredentialSpecName=1:s gmsaCredentialSpec=2:s runAsUserName=3:s hostProcess=4:b
`;
