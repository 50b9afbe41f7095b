/** What a PKCS #10 request asks for. */
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** The request in base64 of PEM, as a CertificateSigningRequest has it; undefined where that is none. */
export function parseRequest(base64: string): x509.Pkcs10CertificateRequest | undefined {
  try {
    return new x509.Pkcs10CertificateRequest(atob(base64));
  } catch {
    // The library throws whatever its decoders do.
    return undefined;
  }
}

/** The groups that the subject names (O); undefined for what is no request. */
export function organizationsOf(base64: string): string[] | undefined {
  return parseRequest(base64)?.subjectName.getField('O');
}

/** The names beside the subject's that the request wants. */
export function alternativeNames(request: x509.Pkcs10CertificateRequest): x509.JsonGeneralName[] {
  const wanted = request.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension);
  return wanted instanceof x509.SubjectAlternativeNameExtension ? wanted.names.toJSON() : [];
}
