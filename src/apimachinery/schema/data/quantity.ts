/** Messages of `quantity`: see `../parse.ts` for how they are written. */
export const quantity = `
Quantity string=1:s
QuantityValue string=1:s
`;
