/** Messages of `intstr`: see `../parse.ts` for how they are written. */
export const intstr = `
IntOrString type=1:l intVal=2:i strVal=3:s
`;
