/** Messages of `networking.v1`: see `../parse.ts` for how they are written. */
export const networkingV1 = `
HTTPIngressPath path=1:s pathType*=3:s backend*=2:IngressBackend|v
HTTPIngressRuleValue paths*=1:[]HTTPIngressPath|a
^IPAddress metadata=1:meta.v1.ObjectMeta|v spec*=2:IPAddressSpec|v
^IPAddressList metadata=1:meta.v1.ListMeta|v items*=2:[]IPAddress
IPAddressSpec parentRef*=1:ParentReference
IPBlock cidr*=1:s except=2:[]s|a
^Ingress metadata=1:meta.v1.ObjectMeta|v spec=2:IngressSpec|v status=3:IngressStatus|v
IngressBackend service=4:IngressServiceBackend resource=3:core.v1.TypedLocalObjectReference
^IngressClass metadata=1:meta.v1.ObjectMeta|v spec=2:IngressClassSpec|v
^IngressClassList metadata=1:meta.v1.ListMeta|v items*=2:[]IngressClass
IngressClassParametersReference apiGroup=1:s kind*=2:s name*=3:s scope=4:s namespace=5:s
IngressClassSpec controller=1:s parameters=2:IngressClassParametersReference
^IngressList metadata=1:meta.v1.ListMeta|v items*=2:[]Ingress
IngressLoadBalancerIngress ip=1:s hostname=2:s ports=4:[]IngressPortStatus|a
IngressLoadBalancerStatus ingress=1:[]IngressLoadBalancerIngress|a
IngressPortStatus port*=1:i protocol*=2:s error=3:s
IngressRule host=1:s ingressRuleValue=2:&IngressRuleValue
IngressRuleValue http=1:HTTPIngressRuleValue
IngressServiceBackend name*=1:s port=2:ServiceBackendPort|v
IngressSpec ingressClassName=4:s defaultBackend=1:IngressBackend tls=2:[]IngressTLS|a rules=3:[]IngressRule|a
IngressStatus loadBalancer=1:IngressLoadBalancerStatus|v
IngressTLS hosts=1:[]s|a secretName=2:s
^NetworkPolicy metadata=1:meta.v1.ObjectMeta|v spec=2:NetworkPolicySpec|v
NetworkPolicyEgressRule ports=1:[]NetworkPolicyPort|a to=2:[]NetworkPolicyPeer|a
NetworkPolicyIngressRule ports=1:[]NetworkPolicyPort|a from=2:[]NetworkPolicyPeer|a
^NetworkPolicyList metadata=1:meta.v1.ListMeta|v items*=2:[]NetworkPolicy
NetworkPolicyPeer podSelector=1:meta.v1.LabelSelector namespaceSelector=2:meta.v1.LabelSelector ipBlock=3:IPBlock
NetworkPolicyPort protocol=1:s port=2:intstr.IntOrString endPort=3:i
NetworkPolicySpec podSelector=1:meta.v1.LabelSelector|v ingress=2:[]NetworkPolicyIngressRule|a egress=3:[]NetworkPolicyEgressRule|a policyTypes=4:[]s|a
ParentReference group=1:s resource*=2:s namespace=3:s name*=4:s
ServiceBackendPort|A name=1:s number=2:i
^ServiceCIDR metadata=1:meta.v1.ObjectMeta|v spec=2:ServiceCIDRSpec|v status=3:ServiceCIDRStatus|v
^ServiceCIDRList metadata=1:meta.v1.ListMeta|v items*=2:[]ServiceCIDR
ServiceCIDRSpec cidrs=1:[]s|a
ServiceCIDRStatus conditions=1:[]meta.v1.Condition|m:type|p:merge:type
`;
