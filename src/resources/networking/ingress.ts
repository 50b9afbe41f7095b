import { type FieldError, invalid, required as requiredError } from '../../apimachinery/field.ts';
import { isDns1123Subdomain, isPortName, isWildcardDns1123Subdomain } from '../../apimachinery/names.ts';
import { ipFamily } from '../../apimachinery/networks.ts';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
  IngressTLS,
} from '../../generated/types/networking.v1.ts';
import type { Strategy, SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, statusIsSeparate } from '../strategies.ts';
import { dns1123Label, dns1123Subdomain, port } from '../validation/formats.ts';
import { strictIp } from '../validation/networks.ts';
import { each, fields, optional, present, type Rule, required, unsupported } from '../validation/rules.ts';
import { typedReference } from './references.ts';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const NEVER_IN_A_PATH = ['//', '/./', '/../', '%2f', '%2F'];
const NEVER_AT_THE_END = ['/..', '/.'];
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const NOT_AN_IP = 'must be a DNS name, not an IP address';

/** A host's name, of which the first label may be a wildcard. */
const hostName: Rule<string> = (host, path, errors) => {
  const problems = host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);
  for (const problem of problems) errors.push(invalid(path, host, problem));
};

const tls = fields<IngressTLS>({ hosts: each(hostName), secretName: optional<string>(dns1123Subdomain) });

const servicePort: Rule<IngressServiceBackend> = (service, path, errors) => {
  const { name = '', number = 0 } = service.port ?? {};
  if (name !== '' && number !== 0) errors.push(invalid(path, '', 'cannot set both port name & port number'));
  else if (name !== '') {
    for (const problem of isPortName(name)) errors.push(invalid(`${path}.service.port.name`, name, problem));
  } else if (number !== 0) port(number, `${path}.service.port.number`, errors);
  else errors.push(requiredError(path, 'port name or number is required'));
};

const backend: Rule<IngressBackend | undefined> = (value, path, errors) => {
  const { service, resource } = value ?? {};
  if (service !== undefined && resource !== undefined) {
    errors.push(invalid(path, '', 'cannot set both resource and service backends'));
  } else if (resource !== undefined) {
    typedReference(resource, `${path}.resource`, errors);
  } else if (service !== undefined) {
    required<string>(dns1123Label)(service.name, `${path}.service.name`, errors);
    servicePort(service, path, errors);
  } else {
    errors.push(invalid(path, '', 'resource or service backend is required'));
  }
};

function pathSequences(value: string, at: string, errors: FieldError[]): void {
  for (const sequence of NEVER_IN_A_PATH) {
    if (value.includes(sequence)) errors.push(invalid(at, value, `must not contain '${sequence}'`));
  }
  for (const suffix of NEVER_AT_THE_END) {
    if (value.endsWith(suffix)) errors.push(invalid(at, value, `cannot end with '${suffix}'`));
  }
}

const httpPath: Rule<HTTPIngressPath> = (value, path, errors) => {
  const { path: url = '', pathType } = value;
  const at = `${path}.path`;
  if (pathType === undefined) {
    errors.push(requiredError(`${path}.pathType`, 'pathType must be specified'));
    return;
  }
  const isRegular = pathType === 'Exact' || pathType === 'Prefix';
  if (!PATH_TYPES.includes(pathType)) {
    errors.push(unsupported(`${path}.pathType`, pathType, PATH_TYPES));
  } else if (!url.startsWith('/') && (isRegular || url !== '')) {
    errors.push(invalid(at, url, 'must be an absolute path'));
  }
  if (isRegular) pathSequences(url, at, errors);
  backend(value.backend, `${path}.backend`, errors);
};

const rule: Rule<IngressRule> = ({ host = '', http }, path, errors) => {
  if (host !== '') {
    if (ipFamily(host) !== 0) errors.push(invalid(`${path}.host`, host, NOT_AN_IP));
    hostName(host, `${path}.host`, errors);
  }
  if (http === undefined) return;
  if (!http.paths?.length) errors.push(requiredError(`${path}.http.paths`));
  else each(httpPath)(http.paths, `${path}.http.paths`, errors);
};

const specFields = fields<IngressSpec>({
  defaultBackend: present<IngressBackend | undefined>(backend),
  rules: each(rule),
  tls: each(tls),
  ingressClassName: present<string | undefined>(dns1123Subdomain),
});

function validateUpdate({ spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.rules?.length && spec.defaultBackend === undefined) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  specFields(spec, 'spec', errors);
  return errors;
}

function validate(ingress: Ingress): FieldError[] {
  const errors = validateUpdate(ingress);
  const annotated = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  const name = ingress.spec?.ingressClassName;
  if (annotated !== undefined && name !== undefined && annotated !== name) {
    const detail = 'must match `ingressClassName` when both are specified';
    errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotated, detail));
  }
  return errors;
}

/** A reference to the core group says so with a null. */
function sayGroup(reference: { apiGroup?: string | null } | undefined): void {
  if (reference !== undefined) reference.apiGroup ??= null;
}

/** How Ingresses are made. */
export const ingress: Strategy<Ingress> = {
  ...statusIsSeparate<Ingress>({ loadBalancer: {} }),
  default({ spec }) {
    sayGroup(spec?.defaultBackend?.resource);
    for (const { http } of spec?.rules ?? []) {
      for (const path of http?.paths ?? []) sayGroup(path.backend?.resource);
    }
  },
  validate,
  validateUpdate,
  warnings(value, old) {
    const isNew = old === undefined && value.metadata.annotations?.[CLASS_ANNOTATION] !== undefined;
    return isNew ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`] : [];
  },
};

/** How the status of Ingresses is changed: where traffic is taken. */
export const ingressStatus: SubresourceStrategy<Ingress> = {
  ...keepAllButStatus<Ingress>(),
  validateUpdate({ status }) {
    const errors: FieldError[] = [];
    status?.loadBalancer?.ingress?.forEach(({ ip = '', hostname = '' }, index) => {
      const at = `status.loadBalancer.ingress[${index}]`;
      if (ip !== '') strictIp(ip, `${at}.ip`, errors);
      if (hostname === '') return;
      dns1123Subdomain(hostname, `${at}.hostname`, errors);
      if (ipFamily(hostname) !== 0) errors.push(invalid(`${at}.hostname`, hostname, NOT_AN_IP));
    });
    return errors;
  },
};
