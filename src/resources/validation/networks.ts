/** Networks in CIDR notation, as numbers: what contains what, and what is written in one of the right ways. */
import { containsNetwork, isCidr, isIp, type Network } from '../../apimachinery/networks.ts';
import { format } from './rules.ts';

/** Whether a network holds another one, and is larger. */
export function isStrictSubset(inner: Network, outer: Network): boolean {
  return outer.length < inner.length && containsNetwork(outer, inner);
}

/** A network that is written in one of the right ways. */
export const strictCidr = format(isCidr);

/** An address that is written in one of the right ways. */
export const strictIp = format(isIp);
