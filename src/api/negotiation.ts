/** Which form an answer takes, after upstream's `handlers/negotiation`. */
import { noRepresentation, notAcceptable, type StatusError } from '../apimachinery/errors.ts';

export interface Accepted {
  format: 'json' | 'yaml' | 'protobuf';
  as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
}

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

const FORMATS: Record<string, Accepted['format']> = {
  [JSON_TYPE]: 'json',
  [YAML_TYPE]: 'yaml',
  [PROTOBUF_TYPE]: 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
};
const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);
const seen = new Map<string, Accepted>();

/**
 * Reads an Accept header: clauses in the client's order, JSON before protobuf where both are welcome, since stored text is JSON.
 * Throws NotAcceptable when nothing that we write is asked for.
 */
export function negotiate(accept: string | null, watch = false): Accepted {
  const header = accept === null || accept === '' ? '*/*' : accept;
  const known = seen.get(header);
  if (known !== undefined) return known;
  const accepted = read(header, watch);
  if (accepted === undefined) throw refusal(header);
  if (seen.size > 500) seen.clear();
  // Long ones are nobody's habit, and would fill the memory.
  if (header.length < 1000) seen.set(header, accepted);
  return accepted;
}

/** Upstream refuses an unknown type before it looks at the form. */
function refusal(header: string): StatusError {
  const all = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
  const known = header.split(',').some((clause) => (clause.split(';', 1)[0] ?? '').trim() in FORMATS);
  return known ? notAcceptable(all) : noRepresentation(all);
}

function read(header: string, watch: boolean): Accepted | undefined {
  let protobuf: Accepted | undefined;
  for (const clause of header.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    const format = FORMATS[type];
    if (format === undefined || (watch && format === 'yaml')) continue;
    const options = new Map(parameters.map((p) => p.split('=', 2) as [string, string]));
    const as = options.get('as');
    if (as !== undefined && !servable(as, options)) continue;
    const accepted: Accepted = as === undefined ? { format } : { format, as: as as NonNullable<Accepted['as']> };
    if (format !== 'protobuf') return accepted;
    protobuf ??= accepted;
  }
  return protobuf;
}

function servable(as: string, options: Map<string, string>): boolean {
  const version = options.get('v');
  const ours = options.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1');
  return TRANSFORMS.has(as) && ours;
}
