/** Who a cluster is: its keys, its CAs and its issuer, as its object keeps them; sealed where there is a key to seal them under. */
import { type SigningKey, sign, signLegacy, tokenSeconds } from '../api/authentication/signing.ts';
import {
  begun,
  describeKeys,
  living,
  newKey,
  noted,
  onlyKey,
  publicKeys,
  signer,
  type TimedKey,
} from '../api/authentication/signing-keys.ts';
import {
  bundle,
  describeAuthorities,
  newAuthority,
  nextChange,
  onlyAuthority,
  type TimedAuthority,
  trusted,
} from '../api/certificates/authorities.ts';
import type { Authority } from '../api/certificates/authority.ts';
import { conflict, notFound } from '../apimachinery/errors.ts';
import type { RootCa } from '../controllers/controller.ts';
import type { Encryption, Keyring } from '../store/encryption/keyring.ts';
import type { AuthorityState, Credential, KeyState, LegacyRequest, MintRequest, PublicKey } from './cluster-rpc.ts';

const KEPT = 'identity';

interface Facts {
  signing: readonly TimedKey[];
  authorities: readonly TimedAuthority[];
  issuer: string;
}

/** As it was kept before keys could be changed, or before CAs could. */
interface Old extends Omit<Facts, 'signing' | 'authorities'> {
  signing: SigningKey | readonly TimedKey[];
  authority: Authority;
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
  static async load(kv: SyncKvStorage, keyring: Keyring | undefined): Promise<Identity | undefined> {
    const kept = kv.get<Uint8Array | string | Facts | Old>(KEPT);
    if (kept === undefined) return undefined;
    const text = kept instanceof Uint8Array ? keyring?.open(KEPT, kept) : kept;
    const facts = (typeof text === 'string' ? JSON.parse(text) : text) as Facts | Old;
    const { issuer } = facts;
    const signing = 'kid' in facts.signing ? onlyKey(facts.signing) : facts.signing;
    const authorities = 'authority' in facts ? await onlyAuthority(facts.authority) : facts.authorities;
    const identity = new Identity(kv, keyring, { signing, authorities, issuer });
    if (keyring?.isSettled === false) identity.keep({});
    return identity;
  }

  /** A new cluster's. */
  static async create(kv: SyncKvStorage, keyring: Keyring | undefined): Promise<Identity> {
    const identity = new Identity(kv, keyring, {
      signing: [await newKey(Date.now(), 0)],
      authorities: [await newAuthority(Date.now(), 0)],
      // Another cluster's tokens are told apart by this, before any key is tried.
      issuer: `https://kubernetes.default.svc.cluster.local/${crypto.randomUUID()}`,
    });
    identity.keep({});
    return identity;
  }

  get issuer(): string {
    return this.facts.issuer;
  }

  /** The CA that signs. */
  get authority(): TimedAuthority {
    return signer(this.facts.authorities, Date.now());
  }

  /** All CAs, for whoever is to trust them. */
  get rootCa(): RootCa {
    const { authorities } = this.facts;
    const now = Date.now();
    const until = nextChange(authorities, now);
    return { bundle: bundle(authorities, now), ...(until !== undefined && { until }) };
  }

  /** The ids of {@link rootCa}, in its order. */
  get authorityIds(): string {
    return trusted(this.facts.authorities, Date.now())
      .map(({ id }) => id)
      .join(' ');
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

  describeAuthorities(): AuthorityState[] {
    return describeAuthorities(this.facts.authorities, Date.now());
  }

  /** How this is encrypted, after making a new key where `rotate` says so; null where it is not. */
  encryption(rotate: boolean): Encryption | null {
    if (this.keyring === undefined) return null;
    if (rotate) {
      this.keyring.rotate();
      this.keep({});
    }
    return this.keyring.describe();
  }

  /** A new key, which signs after `afterMs`. One that waits for its time already gives way to it. */
  async rotate(afterMs: number): Promise<void> {
    const now = Date.now();
    const key = await newKey(now, afterMs);
    this.keep({ signing: [key, ...begun(living(this.facts.signing, now), now)] });
  }

  /** The same for CAs: a new one is trusted at once. */
  async rotateAuthority(afterMs: number): Promise<void> {
    const now = Date.now();
    const authority = await newAuthority(now, afterMs);
    this.keep({ authorities: [authority, ...begun(this.facts.authorities, now)] });
  }

  /** Believes a signing key or a CA no longer. Throws NotFound for one that there is not, Conflict for the one that signs. */
  retire(id: string): void {
    const { signing, authorities } = this.facts;
    const now = Date.now();
    const resource = { group: '', resource: 'keys' };
    if (signer(signing, now).kid === id) throw conflict(resource, id, 'it signs: rotate first');
    if (signer(authorities, now).id === id) throw conflict(resource, id, 'it signs: rotate the CA first');
    const kept = {
      signing: signing.filter(({ kid }) => kid !== id),
      authorities: authorities.filter((one) => one.id !== id),
    };
    if (kept.signing.length === signing.length && kept.authorities.length === authorities.length)
      throw notFound(resource, id);
    this.keep(kept);
  }

  private signs(now: number, expiry: number | null): TimedKey {
    const { signing } = this.facts;
    const key = signer(signing, now);
    const after = noted(signing, key.kid, expiry);
    if (after !== signing) this.keep({ signing: living(after, now) });
    return key;
  }

  private keep(changed: Partial<Facts>): void {
    this.facts = { ...this.facts, ...changed };
    const { keyring } = this;
    this.kv.put(KEPT, keyring === undefined ? this.facts : keyring.seal(KEPT, JSON.stringify(this.facts)));
    if (keyring?.isSettled === false) keyring.settle();
  }
}
