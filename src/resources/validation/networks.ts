/** Networks in CIDR notation, as numbers: what contains what, and what is written in the one right way. */
import { containsNetwork, masked, type Network, parseAddress, parseNetwork } from '../../apimachinery/networks.ts';
import { format } from './rules.ts';

const NOT_A_NETWORK = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const NOT_AN_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const ZERO_PADDED = /^\d{1,20}(\.\d{1,20}){3}$/;
/** Whether a network holds another one, and is larger. */
export function isStrictSubset(inner: Network, outer: Network): boolean {
  return outer.length < inner.length && containsNetwork(outer, inner);
}

/** An IPv4 address that poses as IPv6: `::ffff:10.0.0.1`. */
const isMapped = ({ family, address }: Network): boolean => family === 6 && address >> 32n === 0xffffn;

const withoutPadding = (address: string): string =>
  ZERO_PADDED.test(address) ? address.replace(/(^|\.)0+(?=\d)/g, '$1') : address;

function networkProblems(text: string): string[] {
  const network = parseNetwork(text);
  if (network === undefined) {
    const [address = '', length = ''] = text.split('/', 2);
    const plain = `${withoutPadding(address)}/${length.replace(/^0+(?=\d)/, '')}`;
    const readable = plain !== text && parseNetwork(plain) !== undefined;
    return [readable ? 'must not have leading 0s in IP or prefix length' : NOT_A_NETWORK];
  }
  if (isMapped(network)) return ['must not have an IPv4-mapped IPv6 address'];
  return masked(network).address === network.address ? [] : ['must not have bits set beyond the prefix length'];
}

function addressProblems(text: string): string[] {
  const address = parseAddress(text);
  if (address !== undefined) return isMapped(address) ? ['must not be an IPv4-mapped IPv6 address'] : [];
  const plain = withoutPadding(text);
  return [plain !== text && parseAddress(plain) !== undefined ? 'must not have leading 0s' : NOT_AN_ADDRESS];
}

/** A network that is written in one of the right ways (`IsValidCIDR`). */
export const strictCidr = format(networkProblems);

/** An address that is written in one of the right ways (`IsValidIP`). */
export const strictIp = format(addressProblems);
