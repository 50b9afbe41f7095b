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
