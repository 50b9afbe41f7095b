/** Figures of the API server in Prometheus' text, by upstream's names. They are an isolate's own, and begin with its first request. */
import { connects, type RequestInfo } from './request-info.ts';
import { VERSION } from './version.ts';

/** Upper bounds in seconds, as upstream has them. */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
/** Clients choose paths: no more series than these. */
const MAX_SERIES = 5000;
const VERBS: Record<string, string> = { create: 'POST', update: 'PUT' };
/** They last as long as their clients like. */
const LONG = new Set(['WATCH', 'CONNECT']);
const READS = new Set(['GET', 'HEAD']);
const APPLY = 'application/apply-patch';

interface Durations {
  /** By bucket, each for itself; the last is of what took longer than all. */
  counts: number[];
  sum: number;
}

/** Counts and times requests. */
export class Metrics {
  private startedAt = 0;
  private readonly totals = new Map<string, number>();
  private readonly durations = new Map<string, Durations>();
  private readonly inFlight = { mutating: 0, readOnly: 0 };

  /** A request has come; call what is returned with the code of its answer. */
  begin(request: Request, info: RequestInfo): (code: number) => void {
    const at = Date.now();
    if (this.startedAt === 0) this.startedAt = at;
    const verb = verbOf(request, info);
    const isLong = LONG.has(verb);
    const kind = READS.has(request.method) ? 'readOnly' : 'mutating';
    if (!isLong) this.inFlight[kind]++;
    return (code) => {
      if (!isLong) this.inFlight[kind]--;
      // What nothing serves has any name.
      if (code === 404 && info.name === '') return;
      const labels = labelsOf(verb, info, request.url);
      this.count(`code="${code}",${labels}`);
      if (!isLong) this.time(labels, (Date.now() - at) / 1000);
    };
  }

  private count(labels: string): void {
    const before = this.totals.get(labels);
    if (before !== undefined || this.totals.size < MAX_SERIES) this.totals.set(labels, (before ?? 0) + 1);
  }

  private time(labels: string, seconds: number): void {
    let durations = this.durations.get(labels);
    if (durations === undefined) {
      if (this.durations.size >= MAX_SERIES) return;
      durations = { counts: new Array<number>(BUCKETS.length + 1).fill(0), sum: 0 };
      this.durations.set(labels, durations);
    }
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket++;
    durations.counts[bucket] = (durations.counts[bucket] as number) + 1;
    durations.sum += seconds;
  }

  /** All of it, as `/metrics` answers. */
  text(): string {
    const { gitVersion, major, minor, platform } = VERSION;
    const build = `git_version="${gitVersion}",major="${major}",minor="${minor}",platform="${platform}"`;
    return [
      ...family(
        'apiserver_current_inflight_requests',
        'gauge',
        'Requests that are being answered, but for those that last.',
        [...Object.entries(this.inFlight).map(([kind, count]) => `{request_kind="${kind}"} ${count}`)],
      ),
      ...family('apiserver_request_duration_seconds', 'histogram', 'How long requests take, but for those that last.', [
        ...[...this.durations].flatMap(([labels, durations]) => histogram(labels, durations)),
      ]),
      ...family('apiserver_request_total', 'counter', 'Requests by what they ask for and the code of the answer.', [
        ...[...this.totals].map(([labels, count]) => `{${labels}} ${count}`),
      ]),
      ...family('kubernetes_build_info', 'gauge', 'Always 1; the labels say which version this is.', [`{${build}} 1`]),
      ...family('process_start_time_seconds', 'gauge', 'When the first request came, in seconds since the epoch.', [
        ` ${this.startedAt / 1000}`,
      ]),
      '',
    ].join('\n');
  }
}

/** A metric's lines: each sample is what stands behind its name. */
function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`)];
}

function histogram(labels: string, { counts, sum }: Durations): string[] {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    return `_bucket{${labels},le="${BUCKETS[i] ?? '+Inf'}"} ${total}`;
  });
  return [...buckets, `_sum{${labels}} ${sum}`, `_count{${labels}} ${total}`];
}

function verbOf({ method, headers }: Request, info: RequestInfo): string {
  if (!info.isResource) return method;
  if (connects(info)) return 'CONNECT';
  if (info.verb === 'patch' && headers.get('content-type')?.startsWith(APPLY)) return 'APPLY';
  return VERBS[info.verb] ?? info.verb.toUpperCase();
}

/** What requests like one before are counted under. */
const labelled = new Map<string, string>();

function labelsOf(verb: string, info: RequestInfo, url: string): string {
  const { group, version, resource } = info;
  const subresource = info.isResource ? info.subresource : info.path;
  const dryRun = url.includes('dryRun=All') ? 'All' : '';
  const scope = scopeOf(info);
  const key = `${verb}\n${group}\n${version}\n${resource}\n${subresource}\n${scope}\n${dryRun}`;
  let labels = labelled.get(key);
  if (labels === undefined) {
    labels = Object.entries({ dry_run: dryRun, group, resource, scope, subresource, verb, version })
      .map(([name, value]) => `${name}="${escaped(value)}"`)
      .join(',');
    if (labelled.size < MAX_SERIES) labelled.set(key, labels);
  }
  return labels;
}

/** Upstream's `CleanScope`. */
function scopeOf({ isResource, name, namespace, verb }: RequestInfo): string {
  if (name !== '' || verb === 'create') return 'resource';
  if (namespace !== '') return 'namespace';
  return isResource ? 'cluster' : '';
}

const escaped = (text: string): string =>
  /["\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : text;
