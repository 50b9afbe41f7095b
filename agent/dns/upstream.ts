/** Other people's names: asked of the resolvers that the machine itself uses. */
import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import net from 'node:net';

const UPSTREAM_MS = 2000;
/** Queries on their way at one moment; more are refused. */
const MAX_PENDING = 1000;
const READ_AGAIN_MS = 5000;
const DNS_PORT = 53;

export interface Resolver {
  ip: string;
  port?: number;
}

/** The name servers of a resolv.conf, without `own`. */
export function nameServers(text: string, own: string): Resolver[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? '')
    .filter((ip) => net.isIP(ip) !== 0 && ip !== own)
    .map((ip) => ({ ip }));
}

/** The machine's resolvers as they are now: laptops move from network to network. */
export function machineResolvers(own: string, file = '/etc/resolv.conf'): () => Resolver[] {
  let known: Resolver[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - readAt > READ_AGAIN_MS) {
      readAt = performance.now();
      try {
        known = nameServers(readFileSync(file, 'utf8'), own);
      } catch {
        known = [];
      }
    }
    return known;
  };
}

/** Asks resolvers in turn until one answers. */
export class Forwarder {
  private readonly resolvers: () => readonly Resolver[];
  private pending = 0;

  constructor(resolvers: () => readonly Resolver[]) {
    this.resolvers = resolvers;
  }

  /** The response to a query as it came; over TCP when the client asks so. Undefined when nobody answers. */
  async ask(query: Buffer, overTcp: boolean): Promise<Buffer | undefined> {
    if (this.pending >= MAX_PENDING) return undefined;
    this.pending++;
    try {
      for (const resolver of this.resolvers()) {
        const response = await (overTcp ? askTcp : askUdp)(query, resolver);
        if (response !== undefined) return response;
      }
      return undefined;
    } finally {
      this.pending--;
    }
  }
}

/** A response belongs to a query when its number is the same, and it is one at all. */
function answers(response: Buffer, query: Buffer): boolean {
  return response.length >= 12 && response.readUInt16BE(0) === query.readUInt16BE(0) && (response[2] as number) >= 0x80;
}

function askUdp(query: Buffer, { ip, port = DNS_PORT }: Resolver): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = dgram.createSocket(net.isIPv6(ip) ? 'udp6' : 'udp4');
    let done = false;
    const finish = (response?: Buffer): void => {
      if (done) return;
      done = true;
      clearTimeout(deadline);
      socket.close();
      resolve(response);
    };
    const deadline = setTimeout(finish, UPSTREAM_MS);
    socket.on('error', () => finish());
    socket.on('message', (response) => {
      if (answers(response, query)) finish(response);
    });
    // A connected socket takes answers from that address alone, and hears at once when nobody is there.
    socket.connect(port, ip, () => socket.send(query, (error) => (error ? finish() : undefined)));
  });
}

function askTcp(query: Buffer, { ip, port = DNS_PORT }: Resolver): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(port, ip, () => socket.write(framed(query)));
    const finish = (response?: Buffer): void => {
      socket.destroy();
      resolve(response);
    };
    const take = unframe((response) => {
      if (answers(response, query)) finish(response);
    });
    socket.setTimeout(UPSTREAM_MS, finish);
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', take);
  });
}

/** A message as TCP carries it: its length before it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Takes chunks of a TCP stream and calls back for each whole message. */
export function unframe(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let buffer: Buffer = Buffer.alloc(0);
  return (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
      const end = 2 + buffer.readUInt16BE(0);
      const message = buffer.subarray(2, end);
      buffer = buffer.subarray(end);
      onMessage(message);
    }
  };
}
