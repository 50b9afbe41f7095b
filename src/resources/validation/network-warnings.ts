/** Warnings of addresses and networks that are good but written oddly. */
import {
  formatAddress,
  isMapped,
  masked,
  type Network,
  parseAddress,
  parseNetwork,
  withoutPadding,
} from '../../apimachinery/networks.ts';

const CANONICAL = 'should be in RFC 5952 canonical format';

/** Where an IPv4 address poses as IPv6, the IPv4 address. */
const unmapped = (network: Network): Network =>
  isMapped(network) ? { family: 4, address: network.address & 0xffffffffn, length: 32 } : network;

/** Warnings of an address (`GetWarningsForIP`); none of what is no address at all. */
export function ipWarnings(text: string, path: string): string[] {
  const address = parseAddress(withoutPadding(text));
  if (address === undefined) return [];
  const right = formatAddress(unmapped(address));
  if (parseAddress(text) === undefined || isMapped(address)) {
    return [`${path}: non-standard IP address ${JSON.stringify(text)} is invalid: use ${JSON.stringify(right)}`];
  }
  if (right === text) return [];
  return [`${path}: IPv6 address ${JSON.stringify(text)} ${CANONICAL} (${JSON.stringify(right)})`];
}

/** Warnings of a network that is valid (`GetWarningsForCIDR`). */
export function cidrWarnings(text: string, path: string): string[] {
  const network = parseNetwork(text);
  if (network === undefined) return [];
  const right = `${formatAddress(masked(network))}/${network.length}`;
  if (right === text) return [];
  return [`${path}: IPv6 CIDR value ${JSON.stringify(text)} ${CANONICAL} (${JSON.stringify(right)})`];
}
