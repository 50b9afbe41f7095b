/** WebSocket subprotocols of Kubernetes' streams. */
import { badRequest } from '../../apimachinery/errors.ts';

const EXEC = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io'];
/** Of streams without channels, such as logs. */
const BINARY = ['binary.k8s.io', ''];
/** kubectl's, and the channels of clients in JavaScript. */
const PORT_FORWARD = ['SPDY/3.1+portforward.k8s.io', 'v4.channel.k8s.io'];

/** Whether the client asks for a WebSocket instead of an answer. */
export const wantsWebSocket = ({ headers }: Request): boolean => headers.get('upgrade')?.toLowerCase() === 'websocket';

/** The subprotocol that both sides speak. Throws BadRequest for older clients, whose SPDY cannot be carried here. */
export function negotiateProtocol(request: Request, subresource: string): string {
  if (!wantsWebSocket(request)) {
    const variable =
      subresource === 'portforward' ? 'KUBECTL_PORT_FORWARD_WEBSOCKETS' : 'KUBECTL_REMOTE_COMMAND_WEBSOCKETS';
    throw badRequest(
      `${subresource} needs a WebSocket, and this client asked for SPDY: use kubectl 1.31 or newer, or set ${variable}=true`,
    );
  }
  const offered = (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((p) => p.trim());
  const spoken = subresource === 'portforward' ? PORT_FORWARD : subresource === 'log' ? BINARY : EXEC;
  const protocol = spoken.find((p) => offered.includes(p));
  if (protocol === undefined) {
    throw badRequest(
      `unable to negotiate protocol: client supports [${offered.join(' ')}], server supports [${spoken.join(' ')}]`,
    );
  }
  return protocol;
}
