/** What a request for a certificate may say (`ValidateCertificateSigningRequestCreate`). */
import { duplicate, type FieldError, invalid, notSupported, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength, isDns1123Label, isDns1123Subdomain } from '../../apimachinery/names.ts';
import type { CertificateSigningRequest } from '../../generated/types/certificates.v1.ts';

const LONGEST_DOMAIN = 253;
/** The domain, a slash, a subdomain, a dot and a label. */
const LONGEST_SIGNER = LONGEST_DOMAIN + 1 + 253 + 1 + 63;
const SHORTEST_SECONDS = 600;
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

/** Errors of a signer's name, `example.com/signer`; each shows the half that is wrong (`ValidateSignerName`). */
function signerErrors(signer: string): FieldError[] {
  const at = 'spec.signerName';
  if (signer === '') return [required(at)];
  const halves = signer.split('/');
  if (halves.length !== 2) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(at, signer, detail)];
  }
  const [domain, path] = halves as [string, string];
  const errors: FieldError[] = [];
  const labelErrors = (half: string, check: (label: string) => string[]): void => {
    for (const label of half.split('.')) {
      for (const problem of check(label)) {
        const error = invalid(at, half, `validating label ${JSON.stringify(label)}: ${problem}`);
        if (!errors.some(({ body }) => body === error.body)) errors.push(error);
      }
    }
  };
  if (byteLength(domain) > LONGEST_DOMAIN) errors.push(tooLong(at, LONGEST_DOMAIN));
  labelErrors(domain, isDns1123Label);
  if (!domain.includes('.')) {
    errors.push(invalid(at, domain, 'should be a domain with at least two segments separated by dots'));
  }
  labelErrors(path, isDns1123Subdomain);
  if (byteLength(signer) > LONGEST_SIGNER) errors.push(tooLong(at, LONGEST_SIGNER));
  return errors;
}

function usageErrors(usages: readonly string[]): FieldError[] {
  const at = 'spec.usages';
  if (usages.length === 0) return [required(at)];
  return usages.flatMap((usage, index) => {
    const path = `${at}[${index}]`;
    if (!USAGES.includes(usage)) return [notSupported(path, usage, USAGES)];
    return usages.indexOf(usage) < index ? [duplicate(path, usage)] : [];
  });
}

/** Whether base64 holds a PEM block of the right type; what is in the block is for the signer to say. */
function isRequest(request: string): boolean {
  try {
    return atob(request).includes('-----BEGIN CERTIFICATE REQUEST-----');
  } catch {
    return false;
  }
}

/** Errors of a new request. */
export function validateRequest({ spec = {} }: CertificateSigningRequest): FieldError[] {
  const { request, signerName = '', expirationSeconds: seconds } = spec;
  const errors: FieldError[] = [];
  if (!isRequest(request ?? '')) {
    errors.push(invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST'));
  }
  errors.push(...usageErrors(spec.usages ?? []));
  if (signerName === 'kubernetes.io/legacy-unknown') {
    const detail = 'the legacy signerName is not allowed via this API version';
    errors.push(invalid('spec.signerName', signerName, detail));
  } else errors.push(...signerErrors(signerName));
  if (seconds !== undefined && seconds < SHORTEST_SECONDS) {
    const detail = `may not specify a duration less than ${SHORTEST_SECONDS} seconds (10 minutes)`;
    errors.push(invalid('spec.expirationSeconds', seconds, detail));
  }
  return errors;
}
