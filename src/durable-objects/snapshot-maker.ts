/** The cluster's snapshot, made anew when something that it is made of has changed. */
import { hex, sha256 } from '../apimachinery/digest.ts';
import type { ClusterSnapshot } from './cluster-rpc.ts';
import type { Kv } from './kv.ts';

type Contents = Omit<ClusterSnapshot, 'version'>;

/** What outlives the object, so that who wakes it with the newest version is told so without a store being woken. */
interface Kept {
  version: number;
  digest: string;
  /** Something has changed since. */
  dirty: boolean;
}

const KEY = 'snapshot';

export class SnapshotMaker {
  private readonly read: () => Promise<Contents>;
  private readonly kv: Kv;
  private kept: Kept;
  private snapshot: ClusterSnapshot | undefined;
  private changedMeanwhile = false;
  private renewing: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;

  /** `read` answers what is true now. */
  constructor(kv: Kv, read: () => Promise<Contents>) {
    this.kv = kv;
    this.read = read;
    this.kept = kv.get<Kept>(KEY) ?? { version: 0, digest: '', dirty: true };
  }

  /** Something has changed: the next who asks gets another. */
  changed(): void {
    this.changedMeanwhile = true;
    if (!this.kept.dirty) this.keep({ ...this.kept, dirty: true });
  }

  /** Whether a version is the newest, as far as anybody has told. */
  private isNewest(version: number): boolean {
    return !this.kept.dirty && this.kept.version === version;
  }

  /** The snapshot, or null where it is the one that is `known`. `reload`: something has changed of which nobody has told here yet. */
  async get(known: number, reload: boolean): Promise<ClusterSnapshot | null> {
    if (!reload && this.isNewest(known)) return null;
    if (this.kept.dirty || reload || this.snapshot === undefined) await this.renewed();
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
    // What changes while the stores are read makes it dirty again.
    this.changedMeanwhile = false;
    const contents = await this.read();
    const digest = hex(await sha256(JSON.stringify(contents)));
    const { version: last, digest: before } = this.kept;
    const version = digest === before ? last : Math.max(Date.now(), last + 1);
    if (this.snapshot?.version !== version) this.snapshot = { version, ...contents };
    this.keep({ version, digest, dirty: this.changedMeanwhile });
  }

  private keep(next: Kept): void {
    const { version, dirty } = this.kept;
    this.kept = next;
    if (version !== next.version || dirty !== next.dirty) this.kv.put(KEY, next);
  }
}
