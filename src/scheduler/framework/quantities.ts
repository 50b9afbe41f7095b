/** Quantities as plain numbers: exact enough for sums over a node. */
export { milliValue, parseQuantity, value } from '../../apimachinery/quantity.ts';
