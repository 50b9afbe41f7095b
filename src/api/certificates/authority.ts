/** A certificate authority of the cluster, and what it signs. Keys and certificates are PEM, so that they are plain data at rest. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { FRONT_PROXY_NAME } from '../../apimachinery/cluster-authentication.ts';
import { hex } from '../../apimachinery/digest.ts';
import { badRequest } from '../../apimachinery/errors.ts';
import type { KeyPair } from '../../durable-objects/cluster-rpc.ts';
import type { CertificateSigningRequestSpec } from '../../generated/types/certificates.v1.ts';
import { API_SERVICE_IP, CLUSTER_DOMAIN } from '../bootstrap/objects.ts';
import { alternativeNames, parseRequest } from './request.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const USAGES: KeyUsage[] = ['sign', 'verify'];
const HOUR_MS = 3_600_000;
const DAY = 24 * HOUR_MS;
/** Clocks differ. */
const BACKDATE_MS = 300_000;
const CA_DAYS = 3650;
const SERVING_DAYS = 365;
type KeyUsage = 'sign' | 'verify';

export interface Authority {
  certificate: string;
  key: string;
}

/** A new self-signed authority for ten years. */
export async function createAuthority(): Promise<Authority> {
  const keys = (await crypto.subtle.generateKey(ALGORITHM, true, USAGES)) as CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=kubernetes',
    ...validity(CA_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

/** The certificate with which an agent serves the API inside the cluster. */
export function issueApiProxy(authority: Authority): Promise<KeyPair> {
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${CLUSTER_DOMAIN}`,
  ];
  // Not the authority's own name: a certificate whose issuer is its subject counts as self-signed.
  return issue(authority, 'CN=kube-apiserver', SERVING_DAYS * DAY, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...names.map((value) => ({ type: 'dns' as const, value })),
      { type: 'ip' as const, value: API_SERVICE_IP },
    ]),
  ]);
}

/**
 * The certificate by which extension API servers believe who a request is said to come from. It lasts an hour: the nodes that carry
 * requests to them get to see it.
 */
export function issueFrontProxy(authority: Authority): Promise<KeyPair> {
  return issue(authority, `CN=${FRONT_PROXY_NAME}`, HOUR_MS, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
}

async function issue(
  authority: Authority,
  subject: string,
  lastsMs: number,
  extensions: x509.Extension[],
): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = (await crypto.subtle.generateKey(ALGORITHM, true, USAGES)) as CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject,
    issuer: issuer.subject,
    ...validity(lastsMs),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...extensions,
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

const LONGEST_MS = 365 * DAY;
const SHORTEST_MS = HOUR_MS / 6;

const KEY_USAGE: Readonly<Record<string, number>> = {
  signing: x509.KeyUsageFlags.digitalSignature,
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
  'encipher only': x509.KeyUsageFlags.encipherOnly,
  'decipher only': x509.KeyUsageFlags.decipherOnly,
};
const EXTENDED_USAGE: Readonly<Record<string, string>> = {
  'server auth': x509.ExtendedKeyUsage.serverAuth,
  'client auth': x509.ExtendedKeyUsage.clientAuth,
  'code signing': x509.ExtendedKeyUsage.codeSigning,
  'email protection': x509.ExtendedKeyUsage.emailProtection,
  's/mime': x509.ExtendedKeyUsage.emailProtection,
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  'ocsp signing': x509.ExtendedKeyUsage.ocspSigning,
};

/** The certificate (PEM) that was asked for: the request's subject, names and key, for a year at most, never one that signs others. */
export async function signRequest(authority: Authority, spec: CertificateSigningRequestSpec): Promise<string> {
  const request = parseRequest(spec.request ?? '');
  if (request === undefined || !(await request.verify())) throw badRequest('the request is not signed by its key');
  const issuer = new x509.X509Certificate(authority.certificate);
  const usages = spec.usages ?? [];
  const wanted = spec.expirationSeconds === undefined ? LONGEST_MS : spec.expirationSeconds * 1000;
  const lasts = Math.min(Math.max(wanted, SHORTEST_MS), LONGEST_MS);
  const names = alternativeNames(request);
  const flags = usages.reduce((all, usage) => all | (KEY_USAGE[usage] ?? 0), 0);
  const extended = usages.flatMap((usage) => EXTENDED_USAGE[usage] ?? []);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: request.subject,
    issuer: issuer.subject,
    notBefore: new Date(Date.now() - BACKDATE_MS),
    notAfter: new Date(Math.min(Date.now() + lasts, issuer.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey: request.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return certificate.toString('pem');
}

function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // A serial number is a positive integer.
  bytes[0] = (bytes[0] as number) & 0x7f;
  return hex(bytes);
}

/** From a little while ago. */
function validity(lastsMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - BACKDATE_MS), notAfter: new Date(Date.now() + lastsMs) };
}

async function exportKey(key: CryptoKey): Promise<string> {
  const bytes = (await crypto.subtle.exportKey('pkcs8', key)) as ArrayBuffer;
  return x509.PemConverter.encode(bytes, 'PRIVATE KEY');
}

function importKey(pem: string): Promise<CryptoKey> {
  const [bytes] = x509.PemConverter.decode(pem);
  return crypto.subtle.importKey('pkcs8', bytes as ArrayBuffer, ALGORITHM, false, ['sign']);
}
