/** What the parts of the API server have to add to a request's audit event. */
import type { ObjectMeta } from '../../apimachinery/meta.ts';

export interface AuditNotes {
  /** Adds an annotation; of two with one key the first stays, as upstream. */
  annotate(key: string, value: string): void;
  /** Says what the body names, where the path does not. */
  object(metadata: Partial<ObjectMeta>): void;
  /** The answer stays open; what is returned is to be called when it is over. */
  opens(): () => void;
}
