/** Why a connection failed, in the words that Go's HTTP client has for it: people know them, and search for them. */

interface Failed extends Error {
  code?: string;
  address?: string;
  port?: number;
  hostname?: string;
  reason?: string;
}

/** A failure to connect or to verify as Go says it; anything else as it says itself. */
export function goMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // None of a name's addresses could be connected to.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return goMessage(thrown.errors.at(-1));
  const error: Failed = thrown;
  const { code = '', address, port } = error;
  const dial = DIAL[code];
  if (dial !== undefined && address !== undefined) return `dial tcp ${bracketed(address)}:${port}: connect: ${dial}`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${error.hostname}: no such host`;
  if (code === 'ECONNRESET') return 'EOF';
  const why = UNTRUSTED[code] ?? (code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? error.message : undefined);
  return why === undefined ? error.message : `tls: failed to verify certificate: x509: ${why}`;
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

const DIAL: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
};

const UNKNOWN = 'certificate signed by unknown authority';
const UNTRUSTED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN,
  CERT_SIGNATURE_FAILURE: UNKNOWN,
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};
