/** IP addresses and networks: their text, and the numbers that it means. */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** The family of an IP address, or 0 for what is none: no leading zeros, no zones. */
export function ipFamily(text: string): 0 | 4 | 6 {
  if (IPV4.test(text)) return 4;
  if (text.length > 45 || !text.includes(':')) return 0;
  const halves = text.split('::');
  if (halves.length > 2) return 0;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  let count = groups.length;
  const last = groups.at(-1);
  if (last?.includes('.')) {
    if (!IPV4.test(last) || text.endsWith('::')) return 0;
    groups.pop();
    count += 1;
  }
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return 0;
  return (halves.length === 2 ? count < 8 : count === 8) ? 6 : 0;
}

/** The family of a network in CIDR notation, or 0 for what is none. */
export function cidrFamily(text: string): 0 | 4 | 6 {
  const slash = text.indexOf('/');
  const family = slash < 0 ? 0 : ipFamily(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (family === 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return 0;
  return Number(length) <= (family === 4 ? 32 : 128) ? family : 0;
}

/** An address or a network: the number that its text means. */
export interface Network {
  family: 4 | 6;
  address: bigint;
  /** Bits of the prefix; all of them for an address. */
  length: number;
}

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

/** Whether a network holds an address, or all of another network. */
export function containsNetwork(outer: Network, inner: Network): boolean {
  if (inner.family !== outer.family || outer.length > inner.length) return false;
  return prefixOf(inner, outer.length) === prefixOf(outer, outer.length);
}

/** The network with the bits beyond its prefix cleared. */
export function masked(network: Network): Network {
  const shift = BigInt(bitsOf(network.family) - network.length);
  return { ...network, address: (network.address >> shift) << shift };
}

/** An address in its canonical text; IPv6 with its longest run of zeros left out (RFC 5952). */
export function formatAddress({ family, address }: Network): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((address >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  );
  let from = -1;
  let longest = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > longest) {
      from = start;
      longest = end - start;
    }
  }
  if (from < 0) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + longest).join(':')}`;
}

const NOT_A_NETWORK = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const NOT_AN_ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const ZERO_PADDED = /^\d{1,20}(\.\d{1,20}){3}$/;

/** Whether it is an IPv4 address that poses as IPv6: `::ffff:10.0.0.1`. */
export const isMapped = ({ family, address }: Network): boolean => family === 6 && address >> 32n === 0xffffn;

/** The text of an address without the zeros that lead its numbers, which some read as octal. */
export const withoutPadding = (address: string): string =>
  ZERO_PADDED.test(address) ? address.replace(/(^|\.)0+(?=\d)/g, '$1') : address;

/** Problems of a network in CIDR notation (`IsValidCIDRForLegacyField`). */
export function isCidr(text: string): string[] {
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

/** Problems of an address (`IsValidIPForLegacyField`). */
export function isIp(text: string): string[] {
  const address = parseAddress(text);
  if (address !== undefined) return isMapped(address) ? ['must not be an IPv4-mapped IPv6 address'] : [];
  const plain = withoutPadding(text);
  return [plain !== text && parseAddress(plain) !== undefined ? 'must not have leading 0s' : NOT_AN_ADDRESS];
}
