/** Audit events (`audit.k8s.io/v1`, kind Event), and what of them is read from a request. */
import type { Json, JsonObject } from '../../apimachinery/meta.ts';
import type { User } from '../authentication/user.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Level, Stage } from './policy.ts';

/** In the order in which upstream writes the fields. */
export interface AuditEvent {
  kind: 'Event';
  apiVersion: 'audit.k8s.io/v1';
  level: Level;
  auditID: string;
  stage: Stage;
  requestURI: string;
  verb: string;
  user: JsonObject;
  impersonatedUser?: JsonObject;
  sourceIPs?: string[];
  userAgent?: string;
  objectRef?: JsonObject;
  responseStatus?: JsonObject;
  requestObject?: Json;
  responseObject?: Json;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  annotations?: Record<string, string>;
}

const MOST_USER_AGENT = 1024;
const MOST_ID = 256;
const ID = /^[A-Za-z0-9][-A-Za-z0-9]*$/;
const ADDRESS = /^[0-9a-fA-F:.]{2,45}$/;

/** The id that the client gave the request in `Audit-ID`, where it is fit to be one; else a new one. */
export function auditIdOf(headers: Headers): string {
  const given = headers.get('audit-id') ?? '';
  return given.length <= MOST_ID && ID.test(given) ? given : crypto.randomUUID();
}

/** `authentication.k8s.io/v1` UserInfo. */
export function userInfoOf(user: User | undefined): JsonObject {
  if (user === undefined) return {};
  const { name, uid, groups, extra } = user;
  return {
    username: name,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(Object.keys(extra).length === 0 ? {} : { extra: extra as JsonObject }),
  };
}

/** What the request is about; undefined for what is no resource's. */
export function objectRefOf(info: RequestInfo): JsonObject | undefined {
  if (!info.isResource) return undefined;
  return {
    resource: info.resource,
    ...(info.namespace === '' ? {} : { namespace: info.namespace }),
    ...(info.name === '' ? {} : { name: info.name }),
    ...(info.group === '' ? {} : { apiGroup: info.group }),
    apiVersion: info.version,
    ...(info.subresource === '' ? {} : { subresource: info.subresource }),
  };
}

/** Path and query as they were sent, with the cluster's prefix. */
export const requestUriOf = (url: string): string => url.slice(url.indexOf('/', url.indexOf('//') + 2));

/** The client's name, not without end. */
export function userAgentOf(headers: Headers): string {
  const name = headers.get('user-agent') ?? '';
  return name.length > MOST_USER_AGENT ? `${name.slice(0, MOST_USER_AGENT)}...TRUNCATED` : name;
}

/** Where the request came from, the last sender last: what proxies say, and what Cloudflare knows (`utilnet.SourceIPs`). */
export function sourceIpsOf(headers: Headers): string[] {
  const said = [...(headers.get('x-forwarded-for') ?? '').split(','), headers.get('x-real-ip') ?? ''];
  const all = [...said, headers.get('cf-connecting-ip') ?? ''].map((address) => address.trim());
  return [...new Set(all.filter((address) => ADDRESS.test(address)))];
}
