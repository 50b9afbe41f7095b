/** The launcher's part in an AuthenticationConfiguration: its file, and the authorities by which its issuers are known. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeYaml } from '../../src/apimachinery/codec/yaml.ts';
import { UserError } from '../command.ts';

export interface Authentication {
  file: string;
  /** Files with certificates (PEM) that are trusted besides those of browsers. */
  authorities: string[];
}

interface Configuration {
  jwt?: ({ issuer?: { certificateAuthority?: unknown } } | null)[];
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Reads the file; whether it makes sense the server says. Throws a UserError for one that cannot be read. */
export async function authenticationOf(file: string, data: string): Promise<Authentication> {
  const configuration = await read(file);
  const jwt = Array.isArray(configuration?.jwt) ? configuration.jwt : [];
  const bundles = jwt.map((one) => one?.issuer?.certificateAuthority);
  const certificates = bundles.flatMap((pem) => (typeof pem === 'string' ? (pem.match(CERTIFICATE) ?? []) : []));
  const authorities = certificates.map((_, i) => join(data, `issuer-ca-${i}.crt`));
  await Promise.all(certificates.map((pem, i) => writeFile(authorities[i] as string, `${pem}\n`)));
  return { file, authorities };
}

async function read(file: string): Promise<Configuration | null> {
  try {
    return decodeYaml(await readFile(file, 'utf8')) as Configuration | null;
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${error instanceof Error ? error.message : error}.`);
  }
}
