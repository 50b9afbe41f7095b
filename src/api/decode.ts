/** Request bodies: JSON, YAML or protobuf in, a checked object out. */
import {
  cannotHandle,
  type Decoded,
  decodeJson,
  decodeProtobuf,
  decodeYaml,
  strictError,
  yamlDuplicates,
} from '../apimachinery/codec/index.ts';
import { hex } from '../apimachinery/digest.ts';
import { badRequest, StatusError, tooLarge, unsupportedMediaType } from '../apimachinery/errors.ts';
import { formatApiVersion, type JsonObject, type KubeObject, parseApiVersion } from '../apimachinery/meta.ts';
import { schemaFor } from '../apimachinery/schema/index.ts';
import type { RequestOptions } from '../durable-objects/rpc.ts';
import { resourceByKind } from '../resources/index.ts';
import type { CustomType } from '../resources/resource.ts';
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from './negotiation.ts';
import { decodeCustom } from './registry/custom.ts';

/** Upstream's `MaxRequestBodyBytes`. */
const MAX_BODY = 3 * 1024 * 1024;

export interface Body {
  object: KubeObject;
  warnings: string[];
}

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
  /** Of a custom resource. */
  custom?: CustomType;
  /** Of one form in every version: clients name the version of what they are about (upstream's `AddUnversionedTypes`). */
  unversioned?: boolean;
}

/** The body's bytes; throws RequestEntityTooLarge above 3 MB, however it is sent. */
export async function readBody(request: Pick<Request, 'headers' | 'body' | 'arrayBuffer'>): Promise<Uint8Array> {
  const limit = (): never => {
    throw tooLarge(`Request entity too large: limit is ${MAX_BODY}`);
  };
  const length = request.headers.get('content-length');
  if (Number(length ?? 0) > MAX_BODY) limit();
  if (request.body === null) return new Uint8Array();
  if (length !== null) return new Uint8Array(await request.arrayBuffer());
  // Of unknown length: nobody may fill the isolate's memory with it.
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BODY) limit();
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** The media type without parameters; JSON when there is none, as upstream. */
export function contentType({ headers }: Pick<Request, 'headers'>): string {
  const type = headers.get('content-type') ?? '';
  const semicolon = type.indexOf(';');
  const bare = (semicolon < 0 ? type : type.slice(0, semicolon)).trim();
  return bare === '' ? JSON_TYPE : bare;
}

/**
 * Decodes a body that should hold `expected`, or one of `alternatives`. A body without kind is taken as `expected`.
 * Throws BadRequest for anything else, and for unknown fields under `Strict`.
 */
export async function decodeBody(
  request: Request,
  expected: GroupVersionKind,
  validation: RequestOptions['fieldValidation'],
  alternatives: readonly GroupVersionKind[] = [],
): Promise<Body> {
  return decodeBytes(await readBody(request), contentType(request), expected, validation, alternatives);
}

type Input = Parameters<typeof decodeJson>[0];

const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/** {@link decodeBody} for bytes at hand. */
export function decodeBytes(
  bytes: Uint8Array,
  type: string,
  expected: GroupVersionKind,
  validation: RequestOptions['fieldValidation'],
  alternatives: readonly GroupVersionKind[] = [],
): Body {
  if (type === PROTOBUF_TYPE && expected.custom === undefined) {
    const own = expected.unversioned === true ? expected : undefined;
    const { object } = recognized(bytes, expected, /^/, () => decodeProtobuf(bytes, own));
    settleKind(object, expected, alternatives);
    return { object: withMetadata(object), warnings: [] };
  }
  if (type !== JSON_TYPE && type !== YAML_TYPE) throw unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]);
  const text = utf8.decode(bytes);
  const { actual, decoded } = recognized(bytes, expected, NO_KIND, () => {
    const raw = type === YAML_TYPE ? decodeYaml(text) : text;
    const actual = kindOf(raw, expected, alternatives);
    // Go reads null into an object as nothing at all.
    const input = raw === null || raw === 'null' ? {} : raw;
    const options = { strict: validation !== 'Ignore' };
    if (actual.custom !== undefined) {
      return { actual, decoded: decodeCustom(input, actual.kind, actual.custom, options) };
    }
    const schema = schemaFor(formatApiVersion(actual), actual.kind);
    const decoded = decodeVersioned(input, schema, options);
    return { actual, decoded };
  });
  settleKind(decoded.object, expected, alternatives);
  const yaml = type === YAML_TYPE && validation !== 'Ignore' ? yamlDuplicates(text) : '';
  return { object: withMetadata(decoded.object), warnings: strictWarnings(decoded, validation, actual, yaml) };
}

/** How the complaints begin about what is not even JSON or YAML, or no object. */
const NO_KIND = /^(?:couldn't get version\/kind|error converting YAML|unexpected GroupVersion)/;
/** So much of a body is shown to who sent it. */
const SHOWN = 30;

/** What `decode` answers. A complaint that begins so names the kind that was wanted and shows the body, after upstream's `transformDecodeError`. */
function recognized<T>(bytes: Uint8Array, { kind }: GroupVersionKind, complaint: RegExp, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof StatusError) || !complaint.test(error.message)) throw error;
    const why = `${error.message} (${summary(bytes)})`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`);
  }
}

function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const start = bytes.subarray(0, SHOWN);
  const shown = bytes[0] === 0x7b ? utf8.decode(start) : hex(start);
  return bytes.length > SHOWN ? `${shown} ...` : shown;
}

/** Under Strict throws BadRequest for unknown or duplicate fields; under Warn returns a warning for each. */
export function strictWarnings(
  decoded: Decoded,
  validation: RequestOptions['fieldValidation'],
  actual: GroupVersionKind = { group: '', version: '', kind: '' },
  yaml = '',
): string[] {
  if (validation === 'Ignore') return [];
  const problems = yaml === '' ? decoded.problems : [yaml, ...decoded.problems];
  if (problems.length > 0 && validation === 'Strict') {
    throw cannotHandle(actual.kind, formatApiVersion(actual), strictError(problems));
  }
  return problems;
}

/** Only where a body may be of several kinds is its own kind looked at before it is decoded. */
function kindOf(raw: unknown, expected: GroupVersionKind, alternatives: readonly GroupVersionKind[]): GroupVersionKind {
  if (alternatives.length === 0) return expected;
  const object = (typeof raw === 'string' ? safeParse(raw) : raw) as { kind?: unknown; apiVersion?: unknown } | null;
  return alternatives.find((a) => isOf(a, object?.kind, object?.apiVersion)) ?? expected;
}

const isOf = (gvk: GroupVersionKind, kind: unknown, apiVersion: unknown): boolean =>
  kind === gvk.kind && (gvk.unversioned === true || apiVersion === formatApiVersion(gvk));

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** {@link decodeJson}, where a version that is none is complained of before all else. */
function decodeVersioned(
  input: Input,
  schema: Parameters<typeof decodeJson>[1],
  options: { strict: boolean },
): Decoded {
  try {
    const decoded = decodeJson(input, schema, options);
    checkGroupVersion(decoded.object['apiVersion']);
    return decoded;
  } catch (error) {
    const parsed = typeof input === 'string' ? safeParse(input) : input;
    checkGroupVersion((parsed as { apiVersion?: unknown } | null)?.apiVersion);
    throw error;
  }
}

/** Throws BadRequest for what has more than one slash (`ParseGroupVersion`). */
function checkGroupVersion(apiVersion: unknown): void {
  if (typeof apiVersion === 'string' && apiVersion.split('/', 3).length > 2)
    throw badRequest(`unexpected GroupVersion string: ${apiVersion}`);
}

/** What a body says of itself is completed by what was expected, in place (upstream's `gvkWithDefaults`); throws BadRequest for anything else. */
function settleKind(object: JsonObject, expected: GroupVersionKind, alternatives: readonly GroupVersionKind[]): void {
  if ([expected, ...alternatives].some((gvk) => isOf(gvk, object['kind'], object['apiVersion']))) return;
  const apiVersion = String(object['apiVersion'] ?? '');
  const kind = String(object['kind'] || expected.kind);
  const given = parseApiVersion(apiVersion === '/' ? '' : apiVersion);
  const isOpen = given.version === '' && (given.group === '' || given.group === expected.group);
  const { group, version } = isOpen ? expected : given;
  if (kind === expected.kind && group === expected.group && version === expected.version) {
    object['kind'] = kind;
    object['apiVersion'] = formatApiVersion(expected);
    return;
  }
  const cannot = (why: string): StatusError =>
    badRequest(`${kind} in version "${version}" cannot be handled as a ${expected.kind}: ${why}`);
  if (version === '') throw cannot(`Object 'apiVersion' is missing in '${JSON.stringify(object)}'`);
  const name = formatApiVersion({ group, version });
  if (resourceByKind(group, version, kind) === undefined) {
    throw cannot(`no kind "${kind}" is registered for version "${name}"`);
  }
  if (kind !== expected.kind) throw cannot(`converting (${version}.${kind}) to (${expected.kind}): unknown conversion`);
  throw badRequest(
    `the API version in the data (${name}) does not match the expected API version (${formatApiVersion(expected)})`,
  );
}

function withMetadata(object: JsonObject): KubeObject {
  object['metadata'] ??= {};
  return object as unknown as KubeObject;
}
