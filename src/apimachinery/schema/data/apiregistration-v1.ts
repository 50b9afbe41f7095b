/** Messages of `apiregistration.v1`: see `../parse.ts` for how they are written. */
export const apiregistrationV1 = `
^APIService metadata=1:meta.v1.ObjectMeta|v spec=2:APIServiceSpec|v status=3:APIServiceStatus|v
APIServiceCondition type*=1:s status*=2:s lastTransitionTime=3:meta.v1.Time|v reason=4:s message=5:s
^APIServiceList metadata=1:meta.v1.ListMeta|v items*=2:[]APIService
APIServiceSpec service=1:ServiceReference group=2:s version=3:s insecureSkipTLSVerify=4:b caBundle=5:y|a groupPriorityMinimum*=7:i versionPriority*=8:i
APIServiceStatus conditions=1:[]APIServiceCondition|m:type|p:merge:type
ServiceReference namespace=1:s name=2:s port=3:i
`;
