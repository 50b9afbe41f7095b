/** The options of a delete: its body, or where there is none, its query. */
import { badRequest, StatusError } from '../../apimachinery/errors.ts';
import { type FieldError, invalid, notSupported } from '../../apimachinery/field.ts';
import type { DeleteRequest } from '../../durable-objects/rpc.ts';
import { nodeNameOf } from '../authorization/node-authorizer.ts';
import type { Context } from '../context.ts';
import { contentType, decodeBytes, readBody } from '../decode.ts';
import { isTrue } from '../request-info.ts';
import { integerOf } from './list-options.ts';
import { dryRunErrors, refuseOptions } from './options.ts';

/** `DeleteOptions` as a client writes it. */
interface Options {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: DeleteRequest['preconditions'];
  dryRun?: string[];
}

/** How it is said that a body is of another kind. */
const OTHER_KIND = /^(\w+) in version "([^"]*)" cannot be handled as a DeleteOptions: (?:no kind|converting)/;

const POLICIES = ['Foreground', 'Background', 'Orphan', 'nil'];

/** What the client asks of a delete. Throws BadRequest for a body that is none, and Invalid as upstream's `ValidateDeleteOptions`. */
export async function deleteOptions(context: Context): Promise<DeleteRequest> {
  const { request, url } = context;
  const bytes = await readBody(request);
  const given = bytes.byteLength === 0 ? fromQuery(url.searchParams) : fromBody(bytes, contentType(request));
  refuseOptions(errorsOf(given), 'DeleteOptions');
  const node = nodeNameOf(context.user);
  const { propagationPolicy, dryRun = [], gracePeriodSeconds, orphanDependents, preconditions } = given;
  return {
    ...(node === undefined ? {} : { node }),
    dryRun: dryRun.length > 0,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined
      ? {}
      : { propagationPolicy: propagationPolicy as NonNullable<DeleteRequest['propagationPolicy']> }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

function fromBody(bytes: Uint8Array, type: string): Options {
  const kind = { group: '', version: 'v1', kind: 'DeleteOptions', unversioned: true };
  try {
    return decodeBytes(bytes, type, kind, 'Ignore').object as unknown as Options;
  } catch (error) {
    const [, other, version] = (error instanceof StatusError && OTHER_KIND.exec(error.message)) || [];
    if (other === undefined) throw error;
    const why = `no kind "${other}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`;
    throw badRequest(why);
  }
}

function fromQuery(q: URLSearchParams): Options {
  const [uid, resourceVersion] = [q.get('uid'), q.get('resourceVersion')];
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const policy = q.get('propagationPolicy');
  if (q.get('gracePeriodSeconds') === '') throw badRequest('strconv.ParseInt: parsing "": invalid syntax');
  return {
    ...(q.has('gracePeriodSeconds') ? { gracePeriodSeconds: integerOf(q, 'gracePeriodSeconds') } : {}),
    ...(q.has('orphanDependents') ? { orphanDependents: isTrue(q.get('orphanDependents')) } : {}),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(uid || resourceVersion ? { preconditions } : {}),
    dryRun: q.getAll('dryRun'),
  };
}

function errorsOf({ propagationPolicy: policy, orphanDependents, dryRun = [] }: Options): FieldError[] {
  const errors: FieldError[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalid('propagationPolicy', policy, why));
  }
  if (policy !== undefined && !POLICIES.slice(0, 3).includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, POLICIES));
  }
  return [...errors, ...dryRunErrors(dryRun)];
}
