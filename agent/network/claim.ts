/** One agent per network: two would take each other's addresses, bridge and rules, and neither would say so. */
import net from 'node:net';

/** An abstract socket: each network namespace has names of its own for them, and those of the dead are free at once. */
const ADDRESS = '\0zeroplane-agent';
const ANSWER_MS = 1000;

/** Claims this network until the process ends. Answers with who has it already, if somebody has. `who`: what others are told. */
export function claimNetwork(who: string, address = ADDRESS): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.on('error', () => {}).end(who));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') networkHolder(address).then((holder) => resolve(holder ?? 'unknown'), reject);
      else reject(error);
    });
    server.listen(address, () => resolve(undefined));
    server.unref();
  });
}

/** Who has claimed this network; undefined when nobody has. */
export function networkHolder(address = ADDRESS): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const socket = net.connect(address);
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      said += chunk.toString();
    });
    let refused = false;
    socket.on('error', () => {
      refused = said === '';
    });
    socket.on('close', () => resolve(refused ? undefined : said || 'unknown'));
  });
}
