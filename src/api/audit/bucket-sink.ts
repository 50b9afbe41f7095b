/** Audit events to a bucket (R2): gzipped JSON lines, a folder an hour. */
import { Batch } from './batch.ts';

export interface Bucket {
  put(key: string, value: ArrayBuffer, options: object): Promise<unknown>;
}

/** Every object costs a write: events wait for each other as long as a request may stay alive to send them. */
const DELAY_MS = 10_000;
const MOST = 2000;
const METADATA = { httpMetadata: { contentType: 'application/x-ndjson', contentEncoding: 'gzip' } };

export function bucketSink(bucket: Bucket): Batch {
  return new Batch({
    name: 'the bucket',
    delayMs: DELAY_MS,
    most: MOST,
    async send(lines) {
      const bytes = new Blob([`${lines.join('\n')}\n`]).stream().pipeThrough(new CompressionStream('gzip'));
      await bucket.put(keyAt(new Date()), await new Response(bytes).arrayBuffer(), METADATA);
    },
  });
}

/** `audit/2026-11-21/13/13-05-07.123-<uuid>.jsonl.gz` */
function keyAt(time: Date): string {
  const [day = '', clock = ''] = time.toISOString().slice(0, 23).split('T');
  return `audit/${day}/${clock.slice(0, 2)}/${clock.replaceAll(':', '-')}-${crypto.randomUUID()}.jsonl.gz`;
}
