/** Messages of `runtime`: see `../parse.ts` for how they are written. */
export const runtime = `
RawExtension raw=1:y
TypeMeta apiVersion=1:s kind=2:s
Unknown typeMeta=1:TypeMeta raw=2:y contentEncoding=3:s contentType=4:s
`;
