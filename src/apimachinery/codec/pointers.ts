/**
 * Texts that Go holds by pointer: an empty one was said, and says something else than none. A message and its fields a line.
 */
const POINTERS = `
admissionregistration.v1.MatchResources matchPolicy
admissionregistration.v1.MutatingAdmissionPolicySpec failurePolicy
admissionregistration.v1.MutatingWebhook failurePolicy matchPolicy reinvocationPolicy
admissionregistration.v1.ParamRef parameterNotFoundAction
admissionregistration.v1.Rule scope
admissionregistration.v1.ServiceReference path
admissionregistration.v1.ValidatingAdmissionPolicySpec failurePolicy
admissionregistration.v1.ValidatingWebhook failurePolicy matchPolicy
admissionregistration.v1.Validation reason
admissionregistration.v1.WebhookClientConfig url
apiextensions.v1.CustomResourceDefinitionVersion deprecationWarning
apiextensions.v1.CustomResourceSubresourceScale labelSelectorPath
apiextensions.v1.JSONSchemaProps $ref x-kubernetes-list-type x-kubernetes-map-type
apiextensions.v1.ServiceReference path
apiextensions.v1.ValidationRule reason
apiextensions.v1.WebhookClientConfig url
autoscaling.v2.HPAScalingRules selectPolicy
batch.v1.CronJobSpec timeZone
batch.v1.JobSpec completionMode podReplacementPolicy managedBy
batch.v1.JobStatus failedIndexes
batch.v1.PodFailurePolicyOnExitCodesRequirement containerName
batch.v1.SuccessPolicyRule succeededIndexes
coordination.v1.LeaseSpec strategy preferredHolder
core.v1.AppArmorProfile localhostProfile
core.v1.AzureDiskVolumeSource cachingMode fsType kind
core.v1.AzureFilePersistentVolumeSource secretNamespace
core.v1.CSIVolumeSource fsType
core.v1.ClusterTrustBundleProjection name signerName
core.v1.Container restartPolicy
core.v1.ContainerStatus stopSignal
core.v1.EndpointAddress nodeName
core.v1.EndpointPort appProtocol
core.v1.EphemeralContainerCommon restartPolicy
core.v1.GlusterfsPersistentVolumeSource endpointsNamespace
core.v1.ISCSIPersistentVolumeSource initiatorName
core.v1.ISCSIVolumeSource initiatorName
core.v1.Lifecycle stopSignal
core.v1.LoadBalancerIngress ipMode
core.v1.LocalVolumeSource fsType
core.v1.PersistentVolumeClaimSpec volumeMode
core.v1.PersistentVolumeClaimStatus currentVolumeAttributesClassName
core.v1.PersistentVolumeSpec volumeMode
core.v1.PodDNSConfigOption value
core.v1.PodResourceClaim resourceClaimName resourceClaimTemplateName
core.v1.PodResourceClaimStatus resourceClaimName
core.v1.PodSchedulingGroup podGroupName
core.v1.PodSecurityContext fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy
core.v1.PodSpec runtimeClassName preemptionPolicy hostnameOverride
core.v1.PortStatus error
core.v1.ResourceHealth message
core.v1.SeccompProfile localhostProfile
core.v1.SecurityContext procMount
core.v1.ServicePort appProtocol
core.v1.ServiceSpec ipFamilyPolicy loadBalancerClass internalTrafficPolicy trafficDistribution
core.v1.TopologySpreadConstraint nodeAffinityPolicy nodeTaintsPolicy
core.v1.TypedLocalObjectReference apiGroup
core.v1.TypedObjectReference apiGroup namespace
core.v1.VolumeMount mountPropagation recursiveReadOnly
core.v1.VolumeMountStatus recursiveReadOnly
core.v1.WindowsSecurityContextOptions gmsaCredentialSpecName gmsaCredentialSpec runAsUserName
discovery.v1.Endpoint hostname nodeName zone
discovery.v1.EndpointPort protocol appProtocol
networking.v1.IngressClassParametersReference apiGroup scope namespace
networking.v1.IngressPortStatus error
networking.v1.IngressSpec ingressClassName
networking.v1.NetworkPolicyPort protocol
policy.v1.PodDisruptionBudgetSpec unhealthyPodEvictionPolicy
resource.v1.AllocatedDeviceStatus shareID
resource.v1.Device nodeName
resource.v1.DeviceAttribute string version
resource.v1.DeviceClassSpec extendedResourceName
resource.v1.DeviceConstraint matchAttribute distinctAttribute
resource.v1.DeviceRequestAllocationResult shareID
resource.v1.ResourceSliceSpec nodeName
scheduling.v1.PriorityClass preemptionPolicy
storage.v1.CSIDriverSpec fsGroupPolicy
storage.v1.StorageClass reclaimPolicy volumeBindingMode
storage.v1.VolumeAttachmentSource persistentVolumeName
`;

const names = new Set(
  POINTERS.trim()
    .split('\n')
    .flatMap((line) => {
      const [message = '', ...fields] = line.split(' ');
      return fields.map((field) => `${message}.${field}`);
    }),
);

/** Whether Go holds the text field, by `package.Message.field`, by pointer. */
export function isPointer(name: string): boolean {
  return names.has(name);
}
