/** The cluster's certificate authority. Keys and certificates are PEM, so that they are plain data at rest. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { API_SERVICE_IP, CLUSTER_DOMAIN } from '../bootstrap/objects.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const USAGES: KeyUsage[] = ['sign', 'verify'];
const DAY = 24 * 3600 * 1000;
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
    ...validity(CA_DAYS),
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
export async function issueApiProxy(authority: Authority): Promise<{ cert: string; key: string }> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = (await crypto.subtle.generateKey(ALGORITHM, true, USAGES)) as CryptoKeyPair;
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${CLUSTER_DOMAIN}`,
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    // Not the authority's own name: a certificate whose issuer is its subject counts as self-signed.
    subject: 'CN=kube-apiserver',
    issuer: issuer.subject,
    ...validity(SERVING_DAYS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip' as const, value: API_SERVICE_IP },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // A serial number is a positive integer.
  bytes[0] = (bytes[0] as number) & 0x7f;
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}

/** From five minutes ago, since clocks differ. */
function validity(days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 300_000), notAfter: new Date(Date.now() + days * DAY) };
}

async function exportKey(key: CryptoKey): Promise<string> {
  const bytes = (await crypto.subtle.exportKey('pkcs8', key)) as ArrayBuffer;
  return x509.PemConverter.encode(bytes, 'PRIVATE KEY');
}

function importKey(pem: string): Promise<CryptoKey> {
  const [bytes] = x509.PemConverter.decode(pem);
  return crypto.subtle.importKey('pkcs8', bytes as ArrayBuffer, ALGORITHM, false, ['sign']);
}
