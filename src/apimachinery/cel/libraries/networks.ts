/** Kubernetes' `ip` and `cidr` libraries. */
import { containsNetwork, formatAddress, masked, type Network, parseAddress, parseNetwork } from '../../networks.ts';
import type { Comparable } from '../values.ts';
import { fail, functions, type Library } from './library.ts';

/** An address as a value of expressions. */
export class CelIp implements Comparable {
  readonly address: Network;

  constructor(address: Network) {
    this.address = address;
  }

  compareTo(other: CelIp): number {
    return String(this) === String(other) ? 0 : String(this) < String(other) ? -1 : 1;
  }

  toString(): string {
    return formatAddress(this.address);
  }
}

/** A network as a value of expressions; bits after its prefix are kept. */
export class CelCidr implements Comparable {
  readonly network: Network;

  constructor(network: Network) {
    this.network = network;
  }

  compareTo(other: CelCidr): number {
    return String(this) === String(other) ? 0 : String(this) < String(other) ? -1 : 1;
  }

  toString(): string {
    return `${formatAddress(this.network)}/${this.network.length}`;
  }
}

const isMapped = ({ family, address }: Network): boolean => family === 6 && address >> 32n === 0xffffn;
const quote = JSON.stringify;

/** What Go's `netip` says of a text that is no address. */
function addressProblem(text: string): string {
  const isV4 = /^\d+(?:\.\d+){3}$/.test(text);
  const why = isV4 && /(?:^|\.)0\d/.test(text) ? 'IPv4 field has octet with leading zero' : undefined;
  const large = isV4 && text.split('.').some((part) => Number(part) > 255) ? 'IPv4 field has value >255' : undefined;
  return `ParseAddr(${quote(text)}): ${why ?? large ?? 'unable to parse IP'}`;
}

function ipOf(text: string): CelIp {
  const zone = /^([^%]+)%.+$/.exec(text)?.[1];
  if (zone !== undefined && parseAddress(zone)?.family === 6) {
    fail(`IP address ${quote(text)} with zone value is not allowed`);
  }
  const words = `IP Address ${quote(text)} parse error during conversion from string: `;
  const address = parseAddress(text) ?? fail(words + addressProblem(text));
  return isMapped(address) ? fail(`IPv4-mapped IPv6 address ${quote(text)} is not allowed`) : new CelIp(address);
}

/** What Go's `netip` says of a text that is no network. */
function prefixProblem(text: string): string {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return "no '/'";
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (parseAddress(address) === undefined) return addressProblem(address);
  return /^(?:0|[1-9]\d{0,2})$/.test(bits) ? 'prefix length out of range' : `bad bits after slash: ${quote(bits)}`;
}

function cidrOf(text: string): CelCidr {
  const words = 'network address parse error during conversion from string: ';
  const network =
    parseNetwork(text) ?? fail(`${words}${words}netip.ParsePrefix(${quote(text)}): ${prefixProblem(text)}`);
  return isMapped(network)
    ? fail(`${words}IPv4-mapped IPv6 address ${quote(text)} is not allowed`)
    : new CelCidr(network);
}

/** Whether a text can be read. */
function reads(read: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };
}

const isV4 = ({ address }: CelIp): boolean => address.family === 4;
/** Whether an address lies in a network of its family. */
const within =
  (...networks: string[]) =>
  ({ address }: CelIp): boolean =>
    networks.some((text) => containsNetwork(parseNetwork(text) as Network, address));

const isLoopback = within('127.0.0.0/8', '::1/128');
const isLinkLocal = within('169.254.0.0/16', 'fe80::/10');
const isMulticast = within('224.0.0.0/4', 'ff00::/8');
const isLinkLocalMulticast = within('224.0.0.0/24', 'ff02::/16');
const isUnspecified = within('0.0.0.0/32', '::/128');
const isSpecial = within('255.255.255.255/32');

const isGlobalUnicast = (ip: CelIp): boolean =>
  ![isUnspecified, isLoopback, isMulticast, isLinkLocal, isSpecial].some((is) => is(ip));

class IpNamespace {}

const members = functions({
  'ip(string): net.IP': ipOf,
  'isIP(string): bool': reads(ipOf),
  'string_(net.IP): string': String,
  'IpNamespace.isCanonical(string): bool': (_: IpNamespace, text: string) => String(ipOf(text)) === text,
  'net.IP.family(): int': (ip: CelIp) => (isV4(ip) ? 4n : 6n),
  'net.IP.isUnspecified(): bool': isUnspecified,
  'net.IP.isLoopback(): bool': isLoopback,
  'net.IP.isLinkLocalMulticast(): bool': isLinkLocalMulticast,
  'net.IP.isLinkLocalUnicast(): bool': isLinkLocal,
  'net.IP.isGlobalUnicast(): bool': isGlobalUnicast,
  'cidr(string): net.CIDR': cidrOf,
  'isCIDR(string): bool': reads(cidrOf),
  'string_(net.CIDR): string': String,
  'net.CIDR.containsIP(net.IP): bool': (cidr: CelCidr, { address }: CelIp) => containsNetwork(cidr.network, address),
  'net.CIDR.containsIP(string): bool': (cidr: CelCidr, text: string) =>
    containsNetwork(cidr.network, ipOf(text).address),
  'net.CIDR.containsCIDR(net.CIDR): bool': (cidr: CelCidr, { network }: CelCidr) =>
    containsNetwork(cidr.network, network),
  'net.CIDR.containsCIDR(string): bool': (cidr: CelCidr, text: string) =>
    containsNetwork(cidr.network, cidrOf(text).network),
  'net.CIDR.ip(): net.IP': ({ network }: CelCidr) => new CelIp({ ...network, length: network.family === 4 ? 32 : 128 }),
  'net.CIDR.masked(): net.CIDR': ({ network }: CelCidr) => new CelCidr(masked(network)),
  'net.CIDR.prefixLength(): int': ({ network }: CelCidr) => BigInt(network.length),
});

export const networks: Library = (environment) => {
  environment.registerType('net.IP', { ctor: CelIp, fields: {} });
  environment.registerType('net.CIDR', { ctor: CelCidr, fields: {} });
  environment.registerType('IpNamespace', IpNamespace).registerConstant('ip', 'IpNamespace', new IpNamespace());
  environment.registerOperator('net.IP == net.IP', (a: CelIp, b: CelIp) => a.compareTo(b) === 0);
  environment.registerOperator('net.CIDR == net.CIDR', (a: CelCidr, b: CelCidr) => a.compareTo(b) === 0);
  members(environment);
};
