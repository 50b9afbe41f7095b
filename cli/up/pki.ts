/** The launcher's own certificate authority and the certificate that the API is served with, kept in the data folder. */
import 'reflect-metadata';
import { X509Certificate as NodeCertificate, webcrypto } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 24 * 3600 * 1000;

export interface Pki {
  /** Files, PEM. */
  ca: string;
  cert: string;
  key: string;
}

/** Makes what is missing or expires within a month, or lacks one of the machine's names. Keys are readable by their owner alone. */
export async function ensurePki(folder: string): Promise<Pki> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  x509.cryptoProvider.set(webcrypto as never);
  const pki = { ca: join(folder, 'ca.crt'), cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  const caKey = join(folder, 'ca.key');
  if (!(await isGood(pki.ca))) await writeAuthority(pki.ca, caKey);
  const names = machineNames();
  if (!(await isGood(pki.cert, names, await readFile(pki.ca, 'utf8')))) await writeServing(pki, caKey, names);
  return pki;
}

function machineNames(): { dns: string[]; ips: string[] } {
  const ips = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address }) => address);
  return { dns: ['localhost', hostname()], ips: [...new Set(['127.0.0.1', '::1', ...ips])] };
}

async function isGood(file: string, names?: { dns: string[]; ips: string[] }, ca?: string): Promise<boolean> {
  try {
    const certificate = new NodeCertificate(await readFile(file));
    if (Date.parse(certificate.validTo) < Date.now() + 30 * DAY) return false;
    if (ca !== undefined && !certificate.verify(new NodeCertificate(ca).publicKey)) return false;
    return names === undefined || names.ips.every((ip) => certificate.checkIP(ip) !== undefined);
  } catch {
    return false;
  }
}

async function writeAuthority(file: string, keyFile: string): Promise<void> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=zeroplane-local',
    notBefore: new Date(Date.now() - 300_000),
    notAfter: new Date(Date.now() + 3650 * DAY),
    signingAlgorithm: ALGORITHM,
    keys: keys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  await writeFile(keyFile, await pem(keys.privateKey), { mode: 0o600 });
  await writeFile(file, certificate.toString('pem'));
}

async function writeServing(pki: Pki, caKey: string, names: { dns: string[]; ips: string[] }): Promise<void> {
  const issuer = new x509.X509Certificate(await readFile(pki.ca, 'utf8'));
  const [bytes] = x509.PemConverter.decode(await readFile(caKey, 'utf8'));
  const signingKey = await webcrypto.subtle.importKey('pkcs8', bytes as ArrayBuffer, ALGORITHM, false, ['sign']);
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=zeroplane',
    issuer: issuer.subject,
    notBefore: new Date(Date.now() - 300_000),
    notAfter: new Date(Date.now() + 365 * DAY),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey as never,
    signingKey: signingKey as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ips.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  await writeFile(pki.key, await pem(keys.privateKey), { mode: 0o600 });
  await writeFile(pki.cert, certificate.toString('pem'));
}

async function generate(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] as number) & 0x7f;
  return Buffer.from(bytes).toString('hex');
}
