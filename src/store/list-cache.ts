/** The bodies of the last lists: many clients that ask the same while nothing changes get the same bytes. */
export class ListCache {
  private readonly bodies = new Map<string, Uint8Array>();
  private readonly budget: number;
  private version = -1;
  private size = 0;

  /** `budget`: in bytes, of all bodies together. */
  constructor(budget: number) {
    this.budget = budget;
  }

  /** The body of the query at the store's version, made if need be. */
  get(query: string, version: number, make: () => Uint8Array): Uint8Array {
    if (version !== this.version) this.clear(version);
    const known = this.bodies.get(query);
    if (known !== undefined) return known;
    const body = make();
    if (this.size + body.byteLength > this.budget) this.clear(version);
    if (body.byteLength > this.budget) return body;
    this.bodies.set(query, body);
    this.size += body.byteLength;
    return body;
  }

  private clear(version: number): void {
    this.bodies.clear();
    this.size = 0;
    this.version = version;
  }
}
