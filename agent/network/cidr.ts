/** IPv4 address ranges. */
import { BlockList, isIPv4 } from 'node:net';

/** Whether a text is an IPv4 range such as `10.244.0.0/16`. */
export function isCidr(text: string): boolean {
  const [ip = '', bits = '', ...more] = text.split('/');
  return isIPv4(ip) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && more.length === 0;
}

/** Whether all of `inner` lies in `outer`; false where one of them is no range. */
export function contains(outer: string, inner: string): boolean {
  if (!isCidr(outer) || !isCidr(inner)) return false;
  const [network = '', bits = ''] = outer.split('/');
  const [address = '', innerBits = ''] = inner.split('/');
  const range = new BlockList();
  range.addSubnet(network, Number(bits));
  return Number(innerBits) >= Number(bits) && range.check(address);
}

/** The first address of a range, which the bridge has: `10.244.3.1` of `10.244.3.0/24`. */
export function firstAddress(cidr: string): string {
  const [ip = '', bits = ''] = cidr.split('/');
  const number = ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(number / size) * size + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
}
