/** Which form an answer takes, after upstream's `handlers/negotiation`. */
import { noRepresentation, notAcceptable } from '../apimachinery/errors.ts';
import { type Clause, parseAccept, takes } from './accept.ts';

export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf';
  as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** The version of `meta.k8s.io` that `as` is of; `v1` when not given. */
  metaVersion?: string;
  /** Indented, for people. */
  pretty?: boolean;
  /** Large answers may be compressed. */
  gzip?: boolean;
}

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** In upstream's order: the first that a clause takes is served. */
const FORMATS: readonly [type: string, format: Accepted['format']][] = [
  [JSON_TYPE, 'json'],
  [YAML_TYPE, 'yaml'],
  [PROTOBUF_TYPE, 'protobuf'],
];
const STREAMED = [JSON_TYPE, PROTOBUF_TYPE].map((type) => `${type};stream=watch`);
const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);
const seen = new Map<string, Accepted>();

/** What the answer is about: some cannot be written in every form. */
export interface Subject {
  /** Objects of custom kinds have no protobuf. */
  custom?: boolean;
  /** Answers that are made on the spot have no columns. */
  untabled?: boolean;
  /** Documents have one form each: neither a Table nor metadata can be made of them. */
  plain?: boolean;
  /** Upstream's router is told of streams, too: a collection is listed and watched by one route. */
  streamed?: boolean;
  /** No route of upstream's router: what is asked for is looked at by who answers alone. */
  unrouted?: boolean;
}

/** What {@link negotiate} is told of answers that no Table can be made of (upstream: without a `TableConvertor`). */
export const UNTABLED: Subject = { untabled: true };
const CUSTOM: Subject = { custom: true, unrouted: true };
const BUILT_IN: Subject = {};
const COLLECTION: Subject = { streamed: true };
/** Of discovery, where upstream's router has a route for it. */
export const DOCUMENT: Subject = { plain: true };
/** Of discovery, where it has none. */
export const GROUP_DOCUMENT: Subject = { plain: true, unrouted: true };

/** In which forms objects of a resource can be written. */
export const formsOf = ({ custom }: { custom?: object }): Subject => (custom === undefined ? BUILT_IN : CUSTOM);

/** The same of a collection. */
export const listFormsOf = ({ custom }: { custom?: object }): Subject => (custom === undefined ? COLLECTION : CUSTOM);

/**
 * Reads what a request says of its answer: the form that it wants most of those that we write, and whether indented or compressed.
 * Throws NotAcceptable when nothing that we write is asked for.
 */
export function negotiate(request: Request, subject: Subject = BUILT_IN): Accepted {
  const { headers } = request;
  const accept = headers.get('accept') || '*/*';
  const gzip = acceptsGzip(headers.get('accept-encoding'));
  const pretty = wantsPretty(request);
  const key = `${gzip ? 'g' : ''}${pretty ? 'p' : ''}${keyOf(subject)} ${accept}`;
  const known = seen.get(key);
  if (known !== undefined) return known;
  const accepted = { pretty, gzip, ...read(accept, subject) };
  if (seen.size > 500) seen.clear();
  // Long ones are nobody's habit, and would fill the memory.
  if (key.length < 1000) seen.set(key, accepted);
  return accepted;
}

/**
 * {@link negotiate} for a watch. YAML has no streams. A stream of protobuf has no byte that means nothing, by which a client that has
 * gone would be noticed: where it has no bookmarks either, JSON is taken if it will do.
 */
export function negotiateWatch(request: Request, hasBookmarks: boolean, subject?: Subject): Accepted {
  const accepted = negotiate(request, subject);
  if (accepted.format === 'yaml') throw notAcceptable(STREAMED);
  if (accepted.format === 'json' || hasBookmarks) return accepted;
  return find(parseAccept(request.headers.get('accept') ?? ''), FORMATS.slice(0, 1)) ?? accepted;
}

/** {@link negotiate} for a failure, which is a Status in any case: JSON where the client would have nothing else. */
export function negotiateStatus(request: Request): Accepted {
  for (const { type, parameters } of parseAccept(request.headers.get('accept') || '*/*')) {
    const format = FORMATS.find(([offered]) => takes(type, offered));
    if (format !== undefined && !parameters.has('as')) return { format: format[1], pretty: wantsPretty(request) };
  }
  return { format: 'json', pretty: true };
}

const keyOf = ({ custom, untabled, plain, streamed, unrouted }: Subject): string =>
  `${custom ? 'c' : ''}${untabled ? 'u' : ''}${plain ? 'd' : ''}${streamed ? 's' : ''}${unrouted ? 'r' : ''}`;

function read(accept: string, subject: Subject): Accepted {
  const clauses = parseAccept(accept);
  const offered = subject.custom ? FORMATS.slice(0, 2) : FORMATS;
  const types = offered.map(([type]) => type);
  // Upstream's router refuses what it has no route for before the handler looks at the form.
  if (!subject.unrouted && !clauses.some(({ type }) => type === '*/*' || types.includes(type))) {
    throw noRepresentation(subject.streamed ? [...types, ...STREAMED] : types);
  }
  const found = find(clauses, offered, subject);
  if (found === undefined) throw notAcceptable(types);
  return found;
}

function find(clauses: readonly Clause[], offered: typeof FORMATS, subject: Subject = BUILT_IN): Accepted | undefined {
  for (const clause of clauses) {
    for (const [type, format] of offered) {
      const accepted = takes(clause.type, type) ? inForm(format, clause) : undefined;
      if (accepted !== undefined && hasForm(subject, accepted)) return accepted;
    }
  }
  return undefined;
}

const hasForm = ({ untabled, plain }: Subject, { as }: Accepted): boolean =>
  as === undefined || !(plain || (untabled && as === 'Table'));

function inForm(format: Accepted['format'], { parameters }: Clause): Accepted | undefined {
  const stream = parameters.get('stream');
  if (stream !== undefined && stream !== 'watch') return undefined;
  if (parameters.has('sv')) return undefined;
  const pretty = parameters.get('pretty') === '1' ? { pretty: true } : {};
  const as = parameters.get('as');
  if (as === undefined && !parameters.has('g') && !parameters.has('v')) return { format, ...pretty };
  const version = parameters.get('v');
  const ours = parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1');
  if (!ours || !TRANSFORMS.has(as ?? '') || (format === 'protobuf' && !hasProtobuf(as, version))) return undefined;
  return { format, as: as as NonNullable<Accepted['as']>, metaVersion: `meta.k8s.io/${version}`, ...pretty };
}

/** Tables have none, and the old list of metadata another than ours. */
const hasProtobuf = (as: string | undefined, version: string | undefined): boolean =>
  as === 'PartialObjectMetadata' || (as === 'PartialObjectMetadataList' && version === 'v1');

/** Whether the client named `gzip` plainly, as upstream's `negotiateContentEncoding` wants it. */
export function acceptsGzip(encodings: string | null): boolean {
  if (encodings === null || !encodings.includes('gzip')) return false;
  return encodings.split(',').some((token) => token.trim() === 'gzip');
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
/** Where people sit in front of the answer. */
const BY_HAND = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** The parameter `pretty`, and without it by the client's name. */
function wantsPretty({ url, headers }: Request): boolean {
  if (url.includes('pretty')) {
    const given = new URL(url).searchParams.get('pretty');
    if (given) return TRUE.has(given);
  }
  return BY_HAND.test(headers.get('user-agent') ?? '');
}
