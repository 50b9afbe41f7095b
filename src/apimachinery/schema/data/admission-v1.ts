/** Messages of `admission.v1`: see `../parse.ts` for how they are written. */
export const admissionV1 = `
AdmissionRequest uid=1:s kind=2:meta.v1.GroupVersionKind resource=3:meta.v1.GroupVersionResource subResource=4:s requestKind=13:meta.v1.GroupVersionKind requestResource=14:meta.v1.GroupVersionResource requestSubResource=15:s name=5:s namespace=6:s operation=7:s userInfo=8:authentication.v1.UserInfo object=9:runtime.RawExtension oldObject=10:runtime.RawExtension dryRun=11:b options=12:runtime.RawExtension
AdmissionResponse uid=1:s allowed=2:b status=3:meta.v1.Status patch=4:y patchType=5:s auditAnnotations=6:{}s warnings=7:[]s
^AdmissionReview request=1:AdmissionRequest response=2:AdmissionResponse
`;
