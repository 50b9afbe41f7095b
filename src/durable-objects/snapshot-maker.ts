/** The cluster's snapshot, made anew when something that it is made of has changed. */
import type { ClusterSnapshot } from './cluster-rpc.ts';

type Contents = Omit<ClusterSnapshot, 'version'>;

export class SnapshotMaker {
  private readonly read: () => Promise<Contents>;
  private snapshot: ClusterSnapshot | undefined;
  /** Of the contents, to tell whether they are others. */
  private text = '';
  private dirty = true;
  private renewing: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;

  /** `read` answers what is true now. */
  constructor(read: () => Promise<Contents>) {
    this.read = read;
  }

  /** Something has changed: the next who asks gets another. */
  changed(): void {
    this.dirty = true;
  }

  /** The snapshot, or null where it is the one that is `known`. `reload`: something has changed of which nobody has told here yet. */
  async get(known: number, reload: boolean): Promise<ClusterSnapshot | null> {
    if (this.dirty || reload || this.snapshot === undefined) await this.renewed();
    const current = this.snapshot as ClusterSnapshot;
    return current.version === known ? null : current;
  }

  /** One is made at a time, and who comes meanwhile shares the next. */
  private renewed(): Promise<void> {
    if (this.waiting !== undefined) return this.waiting;
    const next = this.renewing
      .catch(() => {})
      .then(() => {
        this.waiting = undefined;
        this.renewing = this.renew();
        return this.renewing;
      });
    this.waiting = next;
    return next;
  }

  private async renew(): Promise<void> {
    // Cleared first: what changes while the stores are read makes it dirty again.
    this.dirty = false;
    try {
      const next = await this.read();
      const text = JSON.stringify(next);
      if (text === this.text) return;
      this.snapshot = { version: Math.max(Date.now(), (this.snapshot?.version ?? 0) + 1), ...next };
      this.text = text;
    } catch (error) {
      this.dirty = true;
      throw error;
    }
  }
}
