/** How a cluster's users are told by tokens of others: an `AuthenticationConfiguration` (apiserver.config.k8s.io), read strictly. */
import { decodeYaml } from '../../../apimachinery/codec/yaml.ts';
import { isMap } from '../../../apimachinery/structural/schema.ts';

export interface PrefixedClaimOrExpression {
  claim?: string;
  prefix?: string;
  expression?: string;
}

export interface Issuer {
  url?: string;
  discoveryURL?: string;
  certificateAuthority?: string;
  audiences?: string[];
  audienceMatchPolicy?: string;
  egressSelectorType?: string;
}

export interface JWTAuthenticator {
  issuer?: Issuer;
  claimValidationRules?: { claim?: string; requiredValue?: string; expression?: string; message?: string }[];
  claimMappings?: {
    username?: PrefixedClaimOrExpression;
    groups?: PrefixedClaimOrExpression;
    uid?: { claim?: string; expression?: string };
    extra?: { key?: string; valueExpression?: string }[];
  };
  userValidationRules?: { expression?: string; message?: string }[];
}

export interface AuthenticationConfiguration {
  jwt?: JWTAuthenticator[];
  anonymous?: { enabled?: boolean; conditions?: { path?: string }[] };
}

const KIND = 'AuthenticationConfiguration';
const GROUP = 'apiserver.config.k8s.io';
const VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map((version) => `${GROUP}/${version}`);

/** `string`, `boolean`, a list of one shape, or fields by name. */
type Shape = 'string' | 'boolean' | readonly [Shape] | { readonly [name: string]: Shape };

const CLAIM = { claim: 'string', prefix: 'string', expression: 'string' } as const;
const SHAPE: Shape = {
  apiVersion: 'string',
  kind: 'string',
  jwt: [
    {
      issuer: {
        url: 'string',
        discoveryURL: 'string',
        certificateAuthority: 'string',
        audiences: ['string'],
        audienceMatchPolicy: 'string',
        egressSelectorType: 'string',
      },
      claimValidationRules: [{ claim: 'string', requiredValue: 'string', expression: 'string', message: 'string' }],
      claimMappings: {
        username: CLAIM,
        groups: CLAIM,
        uid: { claim: 'string', expression: 'string' },
        extra: [{ key: 'string', valueExpression: 'string' }],
      },
      userValidationRules: [{ expression: 'string', message: 'string' }],
    },
  ],
  anonymous: { enabled: 'boolean', conditions: [{ path: 'string' }] },
};

/** Reads a configuration, YAML or JSON. Throws an Error that says what is wrong with its form; what it says is for others to judge. */
export function readConfiguration(text: string): AuthenticationConfiguration {
  const value: unknown = decodeYaml(text);
  if (!isMap(value)) throw new Error(`it is no ${KIND}`);
  const { kind, apiVersion } = value;
  if (kind !== KIND || !VERSIONS.includes(String(apiVersion))) {
    throw new Error(`no kind "${String(kind)}" is registered for version "${String(apiVersion)}"`);
  }
  const problems: string[] = [];
  compare(value, SHAPE, '', problems);
  if (problems.length > 0) throw new Error(`strict decoding error: ${problems.join(', ')}`);
  return withoutNulls(value) as AuthenticationConfiguration;
}

function compare(value: unknown, shape: Shape, path: string, problems: string[]): void {
  // What is null is as if it were not there.
  if (value === null || value === undefined) return;
  if (typeof shape === 'string') {
    if (typeof value !== shape) problems.push(`${path} must be a ${shape}`);
  } else if (isList(shape)) {
    if (!Array.isArray(value)) problems.push(`${path} must be a list`);
    else for (const [i, one] of value.entries()) compare(one, shape[0], `${path}[${i}]`, problems);
  } else if (!isMap(value)) problems.push(`${path} must be an object`);
  else {
    for (const [name, inner] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      const known = Object.hasOwn(shape, name) ? shape[name] : undefined;
      if (known === undefined) problems.push(`unknown field "${at}"`);
      else compare(inner, known, at, problems);
    }
  }
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => withoutNulls(one ?? {}));
  if (!isMap(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner)]));
}
