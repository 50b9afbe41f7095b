/** Who a cluster is: its keys, its CA and its issuer, as its object keeps them; sealed where there is a key to seal them under. */
import { type SigningKey, sign, signLegacy, tokenSeconds } from '../api/authentication/signing.ts';
import {
  describeKeys,
  living,
  newKey,
  noted,
  onlyKey,
  publicKeys,
  signer,
  type TimedKey,
} from '../api/authentication/signing-keys.ts';
import { type Authority, createAuthority } from '../api/certificates/authority.ts';
import { conflict, notFound } from '../apimachinery/errors.ts';
import type { Encryption, Keyring } from '../store/encryption/keyring.ts';
import type { Credential, KeyState, LegacyRequest, MintRequest, PublicKey } from './cluster-rpc.ts';

const KEPT = 'identity';

interface Facts {
  signing: readonly TimedKey[];
  authority: Authority;
  issuer: string;
}

/** As it was kept before keys could be changed. */
interface Old extends Omit<Facts, 'signing'> {
  signing: SigningKey;
}

export class Identity {
  private readonly kv: SyncKvStorage;
  private readonly keyring: Keyring | undefined;
  private facts: Facts;

  private constructor(kv: SyncKvStorage, keyring: Keyring | undefined, facts: Facts) {
    this.kv = kv;
    this.keyring = keyring;
    this.facts = facts;
  }

  static exists(kv: SyncKvStorage): boolean {
    return kv.get(KEPT) !== undefined;
  }

  /** What is kept; undefined before there is anything. Brings it into the form that it is to have. */
  static load(kv: SyncKvStorage, keyring: Keyring | undefined): Identity | undefined {
    const kept = kv.get<Uint8Array | string | Facts | Old>(KEPT);
    if (kept === undefined) return undefined;
    const text = kept instanceof Uint8Array ? keyring?.open(KEPT, kept) : kept;
    const facts = (typeof text === 'string' ? JSON.parse(text) : text) as Facts | Old;
    const { signing } = facts;
    const keys = Array.isArray(signing) ? (signing as TimedKey[]) : onlyKey(signing as SigningKey);
    const identity = new Identity(kv, keyring, { ...facts, signing: keys });
    if (keyring?.isSettled === false) identity.keep(keys);
    return identity;
  }

  /** A new cluster's. */
  static async create(kv: SyncKvStorage, keyring: Keyring | undefined): Promise<Identity> {
    const key = await newKey(Date.now(), 0);
    const identity = new Identity(kv, keyring, {
      signing: [key],
      authority: await createAuthority(),
      // Another cluster's tokens are told apart by this, before any key is tried.
      issuer: `https://kubernetes.default.svc.cluster.local/${crypto.randomUUID()}`,
    });
    identity.keep([key]);
    return identity;
  }

  get issuer(): string {
    return this.facts.issuer;
  }

  get authority(): Authority {
    return this.facts.authority;
  }

  /** Those that verify. */
  get publicKeys(): PublicKey[] {
    return publicKeys(this.facts.signing, Date.now());
  }

  /** A signed token. That its key must verify for so long is kept first. */
  mint(request: MintRequest): Promise<Credential> {
    const now = Date.now();
    const key = this.signs(now, now + tokenSeconds(request) * 1000);
    return sign(key, this.issuer, request);
  }

  mintLegacy(request: LegacyRequest): Promise<string> {
    return signLegacy(this.signs(Date.now(), null), request);
  }

  describeKeys(): KeyState[] {
    return describeKeys(this.facts.signing, Date.now());
  }

  /** How this is encrypted, after making a new key where `rotate` says so; null where it is not. */
  encryption(rotate: boolean): Encryption | null {
    if (this.keyring === undefined) return null;
    if (rotate) {
      this.keyring.rotate();
      this.keep(this.facts.signing);
    }
    return this.keyring.describe();
  }

  /** A new key, which signs after `afterMs`. One that waits for its time already gives way to it. */
  async rotate(afterMs: number): Promise<void> {
    const now = Date.now();
    const key = await newKey(now, afterMs);
    const waitsNoMore = living(this.facts.signing, now).filter(({ from }) => from <= now);
    this.keep([key, ...waitsNoMore]);
  }

  /** Believes a key no longer. Throws NotFound for one that there is not, Conflict for the one that signs. */
  retire(kid: string): void {
    const { signing } = this.facts;
    const resource = { group: '', resource: 'keys' };
    if (!signing.some((key) => key.kid === kid)) throw notFound(resource, kid);
    if (signer(signing, Date.now()).kid === kid) throw conflict(resource, kid, 'it signs: rotate first');
    this.keep(signing.filter((key) => key.kid !== kid));
  }

  private signs(now: number, expiry: number | null): TimedKey {
    const { signing } = this.facts;
    const key = signer(signing, now);
    const after = noted(signing, key.kid, expiry);
    if (after !== signing) this.keep(living(after, now));
    return key;
  }

  private keep(signing: readonly TimedKey[]): void {
    this.facts = { ...this.facts, signing };
    const { keyring } = this;
    this.kv.put(KEPT, keyring === undefined ? this.facts : keyring.seal(KEPT, JSON.stringify(this.facts)));
    if (keyring?.isSettled === false) keyring.settle();
  }
}
