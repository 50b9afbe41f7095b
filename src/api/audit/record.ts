/** One request as the audit log sees it, from its arrival to its answer (upstream's `WithAudit`). */
import { StatusError } from '../../apimachinery/errors.ts';
import { type JsonObject, microNow, type ObjectMeta } from '../../apimachinery/meta.ts';
import { MASTERS, type User } from '../authentication/user.ts';
import type { Execution } from '../context.ts';
import { connects, type RequestInfo } from '../request-info.ts';
import { withHeader } from '../respond.ts';
import { isConfidential, objectIn } from './bodies.ts';
import {
  type AuditEvent,
  auditIdOf,
  objectRefOf,
  requestUriOf,
  sourceIpsOf,
  userAgentOf,
  userInfoOf,
} from './event.ts';
import type { Judge, Verdict } from './match.ts';
import type { AuditNotes } from './notes.ts';
import { includesLevel, type Stage } from './policy.ts';
import { DETACHED, type Sink } from './sink.ts';

const HEADER = 'audit-id';
/** Our own endpoints. */
const OWN = '/zeroplane/v1/';
/** Those that are asked with the deployment's secret. */
const BREAK_GLASS = /^\/zeroplane\/v1\/(?:credentials|keys)(?:\/|$)/;

export class AuditRecord implements AuditNotes {
  private readonly judge: Judge;
  private readonly sinks: readonly Sink[];
  private readonly execution: Execution;
  private readonly request: Request;
  private readonly info: RequestInfo;
  private readonly id: string;
  private readonly receivedAt = microNow();
  private passesOn = false;
  private isOpen = false;
  private readonly annotations: Record<string, string> = {};
  private readonly named: JsonObject = {};
  private user: User | undefined;
  private impersonated: User | undefined;
  private verdict: Verdict | undefined;
  private body: Request | undefined;

  constructor(
    judge: Judge,
    sinks: readonly Sink[],
    execution: Execution | undefined,
    request: Request,
    info: RequestInfo,
  ) {
    this.judge = judge;
    this.sinks = sinks;
    this.execution = execution ?? DETACHED;
    this.request = request;
    this.info = info;
    this.id = auditIdOf(request.headers);
  }

  /** Who asks is known; answers whether anything is noted down. `passesOn`: another server answers. */
  identified(user: User, passesOn: boolean): boolean {
    this.user = user;
    this.passesOn = passesOn;
    const { level } = this.decide();
    if (level === 'None') return false;
    const { request, info } = this;
    if (includesLevel(level, 'Request') && info.isResource && !connects(info) && request.body !== null) {
      this.body = request.clone() as Request;
    }
    this.write('RequestReceived', {});
    return true;
  }

  impersonating(user: User): void {
    this.impersonated = user;
  }

  annotate(key: string, value: string): void {
    this.annotations[key] ??= value;
  }

  object({ name, namespace }: Partial<ObjectMeta>): void {
    if (name) this.named['name'] = name;
    if (namespace) this.named['namespace'] = namespace;
  }

  opens(): () => void {
    let letGo = (): void => {};
    const over = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    // With its answer the request would end, and its last event would not be sent.
    this.execution.waitUntil(over);
    this.isOpen = true;
    return () => {
      this.write('ResponseComplete', { responseStatus: { metadata: {}, code: 200 } });
      letGo();
    };
  }

  /** The answer is there; what is sent instead of it carries the request's id. */
  answered(response: Response, error: Error | undefined): Response {
    // Nobody who is anybody has asked.
    const isStranger = this.verdict === undefined && !this.info.path.startsWith(OWN);
    const verdict = this.verdict ?? this.decide();
    const answer = withHeader(response, HEADER, this.id);
    if (verdict.level === 'None') return answer;
    const responseStatus = statusOf(answer.status, error);
    if (isStranger) this.write('ResponseStarted', { responseStatus });
    else if (error !== undefined && !(error instanceof StatusError)) this.write('Panic', { responseStatus });
    else if (this.info.verb !== 'watch' && !connects(this.info)) this.complete(answer, responseStatus, verdict);
    else this.opened(responseStatus, error !== undefined, verdict);
    return answer;
  }

  private complete(answer: Response, responseStatus: JsonObject, { level, omitManagedFields }: Verdict): void {
    const { body } = this;
    const tellsAnswer = level === 'RequestResponse' && this.info.isResource;
    if (body === undefined && !tellsAnswer) {
      this.write('ResponseComplete', { responseStatus });
      return;
    }
    // A copy that is made now, and read when the client has its own.
    const copy = tellsAnswer ? (answer.clone() as Response) : undefined;
    const write = async (): Promise<void> => {
      const requestObject = await objectIn(body, omitManagedFields);
      const responseObject = await objectIn(copy, omitManagedFields);
      this.write('ResponseComplete', {
        responseStatus,
        ...(requestObject === undefined ? {} : { requestObject }),
        ...(responseObject === undefined ? {} : { responseObject }),
      });
    };
    this.execution.waitUntil(write());
  }

  /** What stays open is noted down when it opens. Its end is told by whom {@link opens} was called; that of other streams nobody sees. */
  private opened(responseStatus: JsonObject, failed: boolean, { omitStages }: Verdict): void {
    this.write('ResponseStarted', { responseStatus });
    const isSeen = this.info.verb === 'watch' && !this.passesOn;
    if (this.isOpen) return;
    if (failed || isSeen || omitStages.has('ResponseStarted')) this.write('ResponseComplete', { responseStatus });
  }

  /**
   * The policy's verdict. Who can do everything, or mints who can, is noted down in any case; bodies that are credentials, or another
   * server's, in none.
   */
  private decide(): Verdict {
    let verdict = this.judge.judge(this.info, this.user);
    const isBreakGlass = this.user?.groups.includes(MASTERS) || BREAK_GLASS.test(this.info.path);
    if (isBreakGlass && (verdict.level === 'None' || verdict.omitStages.has('ResponseComplete'))) {
      const level = verdict.level === 'None' ? 'Metadata' : verdict.level;
      verdict = { ...verdict, level, omitStages: new Set(['RequestReceived']) };
    }
    const hidesBodies = this.passesOn || isConfidential(this.info);
    if (hidesBodies && includesLevel(verdict.level, 'Request')) verdict = { ...verdict, level: 'Metadata' };
    this.verdict = verdict;
    return verdict;
  }

  private write(stage: Stage, more: Partial<AuditEvent>): void {
    const { verdict, request } = this;
    if (verdict === undefined || verdict.omitStages.has(stage)) return;
    const { headers } = request;
    const userAgent = userAgentOf(headers);
    const sourceIPs = sourceIpsOf(headers);
    const objectRef = objectRefOf(this.info);
    const { responseStatus, requestObject, responseObject } = more;
    const event: AuditEvent = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: verdict.level,
      auditID: this.id,
      stage,
      requestURI: requestUriOf(request.url),
      verb: this.info.verb,
      user: userInfoOf(this.user),
      ...(this.impersonated === undefined ? {} : { impersonatedUser: userInfoOf(this.impersonated) }),
      ...(sourceIPs.length === 0 ? {} : { sourceIPs }),
      ...(userAgent === '' ? {} : { userAgent }),
      ...(objectRef === undefined ? {} : { objectRef: { ...this.named, ...objectRef } }),
      ...(responseStatus === undefined ? {} : { responseStatus }),
      ...(requestObject === undefined ? {} : { requestObject }),
      ...(responseObject === undefined ? {} : { responseObject }),
      requestReceivedTimestamp: this.receivedAt,
      stageTimestamp: microNow(),
      ...(Object.keys(this.annotations).length === 0 ? {} : { annotations: { ...this.annotations } }),
    };
    const line = JSON.stringify(event);
    for (const sink of this.sinks) sink.write(line, this.execution);
  }
}

function statusOf(code: number, error: Error | undefined): JsonObject {
  if (error === undefined) return { metadata: {}, code };
  if (!(error instanceof StatusError)) {
    return { metadata: {}, status: 'Failure', message: "APIServer panic'd", reason: 'InternalError', code: 500 };
  }
  const { kind: _, apiVersion: __, ...status } = error.status;
  return status as unknown as JsonObject;
}
