/** Short names for templates: a hash, in an alphabet that never spells a word. Pure. */
import { joinBytes } from '../../apimachinery/bytes.ts';
import { fnv32a, safeEncode } from '../../apimachinery/random.ts';
import { dump } from './go-dump.ts';

/** The hash of a pod template, for `pod-template-hash` and the names of DaemonSets' revisions (`ComputeHash`): upstream's, to the letter. */
export function templateHash(template: object, collisionCount?: number): string {
  const text = new TextEncoder().encode(dump('PodTemplateSpec', template));
  return safeEncode(String(fnv32a(joinBytes([text, collisionBytes(collisionCount)]))));
}

/** Eight bytes, the lowest first; none before the first collision. */
function collisionBytes(count: number | undefined): Uint8Array {
  if (count === undefined) return new Uint8Array();
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, count, true);
  return new Uint8Array(bytes.buffer);
}
