/** Networks in CIDR notation, as numbers: what contains what, and what is written in the one right way. */
import { ipFamily } from './formats.ts';
import { format } from './rules.ts';

/** An address or a network: the number that its text means. */
export interface Network {
  family: 4 | 6;
  address: bigint;
  /** Bits of the prefix; all of them for an address. */
  length: number;
}

const NOT_A_NETWORK = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const NOT_AN_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const ZERO_PADDED = /^\d{1,20}(\.\d{1,20}){3}$/;
const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

const ipv4Number = (text: string): bigint => text.split('.').reduce((number, part) => number * 256n + BigInt(part), 0n);

function ipv6Number(text: string): bigint {
  // An IPv4 tail is two groups in other clothes.
  const tail = /[\d.]+$/.exec(text)?.[0];
  const hex = tail?.includes('.') === true ? text.slice(0, -tail.length) + groupsOf(ipv4Number(tail)) : text;
  const [head = '', rest] = hex.split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const first = groups(head);
  const last = groups(rest ?? '');
  const zeros = new Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce((number, group) => number * 65536n + BigInt(`0x${group}`), 0n);
}

const groupsOf = (ipv4: bigint): string => `${(ipv4 >> 16n).toString(16)}:${(ipv4 & 0xffffn).toString(16)}`;

/** Reads an address; undefined when it is none. */
export function parseAddress(text: string): Network | undefined {
  const family = ipFamily(text);
  if (family === 0) return undefined;
  return { family, address: family === 4 ? ipv4Number(text) : ipv6Number(text), length: bitsOf(family) };
}

/** Reads a network; undefined when it is none. The address keeps the bits beyond the prefix. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.lastIndexOf('/');
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > address.length) return undefined;
  return { ...address, length: Number(length) };
}

const prefixOf = ({ family, address }: Network, length: number): bigint => address >> BigInt(bitsOf(family) - length);

/** Whether a network holds another one, and is larger. */
export function isStrictSubset(inner: Network, outer: Network): boolean {
  if (inner.family !== outer.family || outer.length >= inner.length) return false;
  return prefixOf(inner, outer.length) === prefixOf(outer, outer.length);
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
  const masked = prefixOf(network, network.length) << BigInt(bitsOf(network.family) - network.length);
  return masked === network.address ? [] : ['must not have bits set beyond the prefix length'];
}

function addressProblems(text: string): string[] {
  const address = parseAddress(text);
  if (address !== undefined) return isMapped(address) ? ['must not be an IPv4-mapped IPv6 address'] : [];
  const plain = withoutPadding(text);
  return [plain !== text && ipFamily(plain) !== 0 ? 'must not have leading 0s' : NOT_AN_ADDRESS];
}

/** A network that is written in one of the right ways (`IsValidCIDR`). */
export const strictCidr = format(networkProblems);

/** An address that is written in one of the right ways (`IsValidIP`). */
export const strictIp = format(addressProblems);
