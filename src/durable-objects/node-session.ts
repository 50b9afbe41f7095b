/**
 * The NodeSession object: a node's agent holds one outbound WebSocket to it. For each stream that a client wants the agent dials back
 * with a WebSocket of its own, and the two are spliced here, frame by frame. All sockets hibernate.
 */
import { DurableObject } from 'cloudflare:workers';
import { failure } from '../apimachinery/errors.ts';
import type { Env } from './env.ts';

const SESSION = 'session';
const OWN_PATH = /\/zeroplane\/v1\/nodes\/[^/]+\/(?:(session)|streams\/([0-9a-f-]{36}))$/;
const OPEN_PATH = '/open';
const CLOSE_PATH = '/close';
/** How long an agent may take to dial back, in ms. */
const DIAL_BACK_MS = 10_000;
/** An agent that has not been heard for so long is gone, whatever its socket says: it pings every 20 s. */
const SILENCE_MS = 70_000;
/** How long an agent whose session broke may take to open another, in ms; without one its node is lost. */
const RECONNECT_MS = 5_000;
/** What storage holds since when there is no session by; nothing while there is one, and before the first. */
const LOST_AT = 'lostAt';
/** What a client may say before the agent is there, in bytes: more than a relay says before it waits to be acknowledged. */
const MAX_EARLY = 6 << 20;
const NORMAL = 1000;
const GOING_AWAY = 1001;
const FAILED = 1011;
/** Of the codes that applications choose. */
const REMOVED = 4001;
/** Of a WebSocket's closing reason, in bytes. */
const MAX_REASON = 123;

interface Attachment {
  id: string;
  side: 'session' | 'client' | 'agent';
  openedAt: number;
  connected: boolean;
  /** Something was said before the agent was there. */
  spoke?: boolean;
}

type Message = string | ArrayBuffer;

export class NodeSession extends DurableObject<Env> {
  private readonly cluster: string;
  private readonly node: string;
  /** What clients said before their agent's socket was there. Lost with the object; their streams are then closed. */
  private readonly early = new Map<string, { messages: Message[]; size: number }>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    [this.cluster = '', this.node = ''] = (ctx.id.name ?? '').split('/');
    // Heartbeats neither wake the object nor cost anything.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /** Whether the node's agent holds its session. */
  async connected(): Promise<boolean> {
    return this.session() !== undefined;
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === CLOSE_PATH) return this.closeAll();
    const own = OWN_PATH.exec(pathname);
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
      return this.refuse(400, 'BadRequest', 'a WebSocket is expected here');
    }
    if (own?.[1] !== undefined) return this.openSession();
    if (own?.[2] !== undefined) return this.dialBack(own[2]);
    if (pathname === OPEN_PATH) return this.openStream(request.headers.get('x-stream') ?? '{}');
    return this.refuse(404, 'NotFound', 'the server could not find the requested resource');
  }

  override async webSocketMessage(socket: WebSocket, message: Message): Promise<void> {
    const attachment = attachmentOf(socket);
    if (attachment === null || attachment.side === 'session') return;
    const peer = this.peer(attachment);
    if (peer?.readyState === WebSocket.OPEN) peer.send(message);
    else if (peer === undefined && attachment.side === 'client' && !attachment.connected)
      this.keep(socket, attachment, message);
    else this.closeBoth(socket, attachment, FAILED, `the connection to node ${this.node} is gone`);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    // 1005: closed without a code. 1006: not closed at all, it broke.
    if (code === 1006) await this.closed(socket, FAILED, 'the connection broke');
    else await this.closed(socket, code === 1005 ? NORMAL : code, reason);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.closed(socket, FAILED, 'the connection broke');
  }

  /** Streams whose agent has not dialled back are given up, and so is a node that has not come back. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    let next: number | undefined;
    for (const socket of this.ctx.getWebSockets()) {
      const attachment = attachmentOf(socket);
      if (attachment?.side !== 'client' || attachment.connected) continue;
      const deadline = attachment.openedAt + DIAL_BACK_MS;
      if (deadline <= now) this.closeBoth(socket, attachment, FAILED, `node ${this.node} did not answer`);
      else next = Math.min(next ?? deadline, deadline);
    }
    const lostAt = await this.ctx.storage.get<number>(LOST_AT);
    if (lostAt !== undefined && lostAt + RECONNECT_MS > now)
      next = Math.min(next ?? lostAt + RECONNECT_MS, lostAt + RECONNECT_MS);
    if (next !== undefined) await this.ctx.storage.setAlarm(next);
    if (lostAt === undefined || lostAt + RECONNECT_MS > now) return;
    // Should this fail, the runtime rings again.
    if (this.session() === undefined) await this.tellLost(lostAt);
    // A session that broke meanwhile is another matter.
    if ((await this.ctx.storage.get(LOST_AT)) === lostAt) await this.ctx.storage.delete(LOST_AT);
  }

  private async tellLost(lostAt: number): Promise<void> {
    if (this.env.CONTROLLERS === 'off') return;
    await this.env.CONTROLLER_MANAGER.getByName(this.cluster).nodeLost(this.cluster, this.node, lostAt);
  }

  /** The agent is gone, or about to come back. */
  private async sessionClosed(): Promise<void> {
    if (this.session() !== undefined) return;
    await this.ctx.storage.put(LOST_AT, Date.now());
    await this.ringBefore(Date.now() + RECONNECT_MS);
  }

  /** Sets the alarm, unless it is to ring earlier. */
  private async ringBefore(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }

  private async openSession(): Promise<Response> {
    await this.ctx.storage.delete(LOST_AT);
    for (const older of this.ctx.getWebSockets(SESSION))
      older.close(GOING_AWAY, 'another session of this node was opened');
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [SESSION]);
    this.attach(server, { id: '', side: 'session', openedAt: Date.now(), connected: true });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** The node was removed: its session ends, and every stream through it. */
  private closeAll(): Response {
    for (const socket of this.ctx.getWebSockets())
      close(socket, REMOVED, `node ${this.node} was removed from the cluster`);
    return new Response(null, { status: 204 });
  }

  private async openStream(request: string): Promise<Response> {
    const session = this.session();
    if (session === undefined) {
      const why = `error dialing backend: node ${JSON.stringify(this.node)} is not connected`;
      return this.refuse(502, 'InternalError', why);
    }
    const id = crypto.randomUUID();
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [`client:${id}`]);
    this.attach(server, { id, side: 'client', openedAt: Date.now(), connected: false });
    session.send(JSON.stringify({ open: { ...(JSON.parse(request) as object), id } }));
    await this.ringBefore(Date.now() + DIAL_BACK_MS);
    return new Response(null, { status: 101, webSocket: client });
  }

  private dialBack(id: string): Response {
    const waiting = this.ctx.getWebSockets(`client:${id}`)[0];
    const attachment = waiting === undefined ? null : attachmentOf(waiting);
    const waits = waiting?.readyState === WebSocket.OPEN && attachment?.connected === false;
    if (waiting === undefined || attachment === null || !waits) {
      return this.refuse(404, 'NotFound', 'no client waits for this stream');
    }
    if (attachment.spoke === true && !this.early.has(id)) {
      // The object was evicted meanwhile, and with it what the client had said: better no stream than one with a hole.
      this.closeBoth(waiting, attachment, FAILED, 'the stream was interrupted, try again');
      return this.refuse(409, 'Conflict', 'what the client had said is lost');
    }
    const { 0: agent, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [`agent:${id}`]);
    this.attach(server, { id, side: 'agent', openedAt: Date.now(), connected: true });
    this.attach(waiting, { ...attachment, connected: true });
    for (const message of this.early.get(id)?.messages ?? []) server.send(message);
    this.early.delete(id);
    return new Response(null, { status: 101, webSocket: agent });
  }

  /** The agent's session, if it is alive. */
  private session(): WebSocket | undefined {
    const now = Date.now();
    return this.ctx.getWebSockets(SESSION).find((socket) => {
      if (socket.readyState !== WebSocket.OPEN) return false;
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
      return now - Math.max(pinged, attachmentOf(socket)?.openedAt ?? 0) < SILENCE_MS;
    });
  }

  private attach(socket: WebSocket, attachment: Attachment): void {
    socket.serializeAttachment(attachment);
  }

  private peer({ id, side }: Attachment): WebSocket | undefined {
    return this.ctx.getWebSockets(`${side === 'client' ? 'agent' : 'client'}:${id}`)[0];
  }

  private keep(socket: WebSocket, attachment: Attachment, message: Message): void {
    const kept = this.early.get(attachment.id) ?? { messages: [], size: 0 };
    kept.size += typeof message === 'string' ? message.length : message.byteLength;
    if (kept.size > MAX_EARLY) {
      this.closeBoth(socket, attachment, FAILED, 'too much was said before the node answered');
      return;
    }
    kept.messages.push(message);
    this.early.set(attachment.id, kept);
    if (attachment.spoke !== true) this.attach(socket, { ...attachment, spoke: true });
  }

  private async closed(socket: WebSocket, code: number, reason: string): Promise<void> {
    const attachment = attachmentOf(socket);
    if (attachment !== null && attachment.side !== 'session') return this.closeBoth(socket, attachment, code, reason);
    close(socket, NORMAL, '');
    await this.sessionClosed();
  }

  private closeBoth(socket: WebSocket, attachment: Attachment, code: number, reason: string): void {
    this.early.delete(attachment.id);
    for (const end of [this.peer(attachment), socket]) if (end !== undefined) close(end, code, reason);
  }

  private refuse(code: number, reason: string, message: string): Response {
    return Response.json(failure(code, reason, message), { status: code });
  }
}

function attachmentOf(socket: WebSocket): Attachment | null {
  return socket.deserializeAttachment() as Attachment | null;
}

/** Closes with a code that may be sent; codes between are the protocol's own. */
function close(socket: WebSocket, code: number, reason: string): void {
  const sendable = code === NORMAL || code === GOING_AWAY || code === FAILED || (code >= 3000 && code < 5000);
  try {
    socket.close(sendable ? code : FAILED, shortened(reason));
  } catch {
    // It was closed already.
  }
}

/** As much of a text as a closing reason holds. */
function shortened(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= MAX_REASON) return text;
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON - 3)).replace(/\uFFFD+$/, '');
}
