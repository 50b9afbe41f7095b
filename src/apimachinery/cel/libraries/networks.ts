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

const ipOf = (text: string): CelIp =>
  new CelIp(
    parseAddress(text) ??
      fail(
        `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
      ),
  );
const cidrOf = (text: string): CelCidr =>
  new CelCidr(parseNetwork(text) ?? fail(`network address parse error during conversion from string: ${text}`));

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
  'isIP(string): bool': (text: string) => parseAddress(text) !== undefined,
  'string_(net.IP): string': String,
  'IpNamespace.isCanonical(string): bool': (_: IpNamespace, text: string) => String(ipOf(text)) === text,
  'net.IP.family(): int': (ip: CelIp) => (isV4(ip) ? 4n : 6n),
  'net.IP.isUnspecified(): bool': isUnspecified,
  'net.IP.isLoopback(): bool': isLoopback,
  'net.IP.isLinkLocalMulticast(): bool': isLinkLocalMulticast,
  'net.IP.isLinkLocalUnicast(): bool': isLinkLocal,
  'net.IP.isGlobalUnicast(): bool': isGlobalUnicast,
  'cidr(string): net.CIDR': cidrOf,
  'isCIDR(string): bool': (text: string) => parseNetwork(text) !== undefined,
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
