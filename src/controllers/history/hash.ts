/** Short names for templates and revisions: a hash of their JSON, in an alphabet that never spells a word. Pure. */
import { canonicalJson } from '../../apimachinery/go-json.ts';
import { fnv32a, safeEncode } from '../../apimachinery/random.ts';

/** The hash of a pod template, for `pod-template-hash` and the names of DaemonSets' revisions (`ComputeHash`). */
export const templateHash = (template: object, collisionCount = 0): string =>
  safeEncode(String(fnv32a(`${canonicalJson(template)}${collisionCount === 0 ? '' : collisionCount}`)));
