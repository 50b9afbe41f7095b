/** The audit log: what is noted down, and where, as the deployment's settings say. */
import type { Execution } from '../context.ts';
import type { RequestInfo } from '../request-info.ts';
import { type Bucket, bucketSink } from './bucket-sink.ts';
import { Judge } from './match.ts';
import { PolicyError, parsePolicy } from './policy.ts';
import { AuditRecord } from './record.ts';
import { type Sink, stdout } from './sink.ts';
import { type Receiver, webhookSink } from './webhook-sink.ts';

/** Bindings and variables of the Worker; what is absent or empty is not used. */
export interface AuditBindings {
  /** A Policy of `audit.k8s.io/v1`, in YAML or JSON. */
  AUDIT_POLICY?: string;
  /** `stdout`: events go to the runtime's log. */
  AUDIT_LOG?: string;
  AUDIT_BUCKET?: Bucket;
  AUDIT_WEBHOOK_URL?: string;
  /** A secret: the webhook's bearer token. */
  AUDIT_WEBHOOK_TOKEN?: string;
  /** A Worker that takes what a webhook would. */
  AUDIT_SERVICE?: Receiver;
}

export class Auditor {
  private readonly judge: Judge;
  private readonly sinks: readonly Sink[];

  constructor(judge: Judge, sinks: readonly Sink[]) {
    this.judge = judge;
    this.sinks = sinks;
  }

  /** A request has come. */
  begin(request: Request, info: RequestInfo, execution: Execution | undefined): AuditRecord {
    return new AuditRecord(this.judge, this.sinks, execution, request, info);
  }
}

/** The audit log that is asked for; undefined: none. */
export function auditorOf(bindings: AuditBindings): Auditor | undefined {
  const sinks = sinksOf(bindings);
  const { AUDIT_POLICY: policy = '' } = bindings;
  if (policy === '' && sinks.length === 0) return undefined;
  return new Auditor(judgeOf(policy), sinks.length === 0 ? [stdout] : sinks);
}

function sinksOf(bindings: AuditBindings): Sink[] {
  const { AUDIT_LOG: log = '', AUDIT_BUCKET: bucket, AUDIT_SERVICE: service } = bindings;
  const { AUDIT_WEBHOOK_URL: url = '', AUDIT_WEBHOOK_TOKEN: token = '' } = bindings;
  return [
    ...(log === 'stdout' ? [stdout] : []),
    ...(bucket === undefined ? [] : [bucketSink(bucket)]),
    ...(service === undefined ? [] : [webhookSink('the service', 'http://audit/', token, service)]),
    ...(url === '' ? [] : [webhookSink('the webhook', url, token, { fetch: (to, init) => fetch(to, init) })]),
  ];
}

/** A policy that makes no sense must neither stop the API nor the log: metadata of everything is noted down until it does. */
function judgeOf(policy: string): Judge {
  if (policy === '') return new Judge({ rules: [] });
  try {
    return new Judge(parsePolicy(policy));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    console.error(`Until this is mended, the metadata of every request is noted down: ${error.message}.`);
    return new Judge({ rules: [{ level: 'Metadata' }] });
  }
}
