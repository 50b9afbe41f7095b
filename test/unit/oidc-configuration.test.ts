/** AuthenticationConfigurations: what is wrong with them in upstream's words, and which users they make of claims. */
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/api/authentication/oidc/configuration.ts';
import { externalIdentities } from '../../src/api/authentication/oidc/index.ts';
import { mapped } from '../../src/api/authentication/oidc/mapping.ts';
import { validate } from '../../src/api/authentication/oidc/validate.ts';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';

const HEAD = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration' };
const ISSUER = { url: 'https://issuer.example', audiences: ['cluster'] };
const USERNAME = { username: { claim: 'sub', prefix: '' } };

/** One authenticator that is good but for what is given. */
const jwt = (more: object, issuer: object = {}): object => ({
  jwt: [{ issuer: { ...ISSUER, ...issuer }, claimMappings: USERNAME, ...more }],
});
const problems = (configuration: object): string[] =>
  validate(readConfiguration(JSON.stringify({ ...HEAD, ...configuration }))).errors.map(toMessage);
const issuer = (more: object): object => jwt({}, more);
const mappings = (more: object): object => jwt({ claimMappings: { ...USERNAME, ...more } });
const rules = (...claimValidationRules: object[]): object => jwt({ claimValidationRules });

describe('a configuration', () => {
  it.each<[string, string, string]>([
    ['of no kind', '{}', 'no kind "undefined" is registered for version "undefined"'],
    ['of another version', JSON.stringify({ ...HEAD, apiVersion: 'v1' }), 'is registered for version "v1"'],
    ['that is none', '[]', 'it is no AuthenticationConfiguration'],
    [
      'with a field too many',
      JSON.stringify({ ...HEAD, jwt: [{ isuer: {} }] }),
      'strict decoding error: unknown field "jwt[0].isuer"',
    ],
    ['with inherited names', JSON.stringify({ ...HEAD, constructor: {} }), 'unknown field "constructor"'],
    ['of another form', JSON.stringify({ ...HEAD, jwt: { issuer: {} } }), 'jwt must be a list'],
    [
      'with numbers for names',
      JSON.stringify({ ...HEAD, jwt: [{ issuer: { url: 1 } }] }),
      'jwt[0].issuer.url must be a string',
    ],
    [
      'with texts for truths',
      JSON.stringify({ ...HEAD, anonymous: { enabled: 'no' } }),
      'anonymous.enabled must be a boolean',
    ],
    ['that is no YAML', 'a: [', ''],
  ])('%s is not read', (_, text, why) => {
    const found = externalIdentities(text);
    expect(found).toMatchObject({ problem: expect.stringContaining(why) });
  });

  it('may be none', () => {
    expect(externalIdentities('')).toBeUndefined();
    expect(problems({})).toEqual([]);
    expect(problems({ jwt: null, anonymous: null })).toEqual([]);
    expect(problems({ jwt: [] })).toEqual([]);
    expect(problems(jwt({}))).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    [
      'nothing at all',
      { jwt: [{}] },
      [
        'jwt[0].issuer.url: Required value',
        'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
        'jwt[0].claimMappings.username: Required value: claim or expression is required',
      ],
    ],
    [
      'a plain URL',
      issuer({ url: 'http://issuer.example' }),
      ['jwt[0].issuer.url: Invalid value: "http://issuer.example": URL scheme must be https'],
    ],
    ['no URL', issuer({ url: 'issuer' }), ['jwt[0].issuer.url: Invalid value: "issuer": URL scheme must be https']],
    [
      'a URL with more',
      issuer({ url: 'https://a:b@issuer.example/?x#y' }),
      [
        'jwt[0].issuer.url: Invalid value: "https://a:b@issuer.example/?x#y": URL must not contain a username or password',
        'jwt[0].issuer.url: Invalid value: "https://a:b@issuer.example/?x#y": URL must not contain a query',
        'jwt[0].issuer.url: Invalid value: "https://a:b@issuer.example/?x#y": URL must not contain a fragment',
      ],
    ],
    [
      'a discovery that is the issuer',
      issuer({ discoveryURL: 'https://issuer.example/' }),
      ['jwt[0].issuer.discoveryURL: Invalid value: "https://issuer.example/": discoveryURL must be different from URL'],
    ],
    [
      'a certificate that is none',
      issuer({ certificateAuthority: 'x' }),
      [
        'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
      ],
    ],
    [
      'an odd egress',
      issuer({ egressSelectorType: 'x' }),
      ['jwt[0].issuer.egressSelectorType: Invalid value: "x": egress selector must be either controlplane or cluster'],
    ],
    [
      'two audiences',
      issuer({ audiences: ['a', 'b'] }),
      [
        'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
      ],
    ],
    [
      'an odd policy',
      issuer({ audienceMatchPolicy: 'MatchAll' }),
      [
        'jwt[0].issuer.audienceMatchPolicy: Invalid value: "MatchAll": audienceMatchPolicy must be empty or MatchAny for single audience',
      ],
    ],
    [
      'odd audiences',
      issuer({ audiences: ['', 'a', 'a'], audienceMatchPolicy: 'MatchAny' }),
      ['jwt[0].issuer.audiences[0]: Required value', 'jwt[0].issuer.audiences[2]: Duplicate value: "a"'],
    ],
    [
      'an issuer twice',
      {
        jwt: [0, 1].map(() => ({ issuer: { ...ISSUER, discoveryURL: 'https://d.example' }, claimMappings: USERNAME })),
      },
      [
        'jwt[1].issuer.url: Duplicate value: "https://issuer.example"',
        'jwt[1].issuer.discoveryURL: Duplicate value: "https://d.example"',
      ],
    ],
    ['too many', { jwt: Array.from({ length: 65 }, () => ({})) }, ['jwt: Too many: 65: must have at most 64 items']],
    [
      'no prefix',
      mappings({ username: { claim: 'sub' } }),
      [
        'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
      ],
    ],
    [
      'claim and expression',
      mappings({ groups: { claim: 'a', expression: 'claims.a' } }),
      ['jwt[0].claimMappings.groups: Invalid value: "": claim and expression can\'t both be set'],
    ],
    [
      'prefix and expression',
      mappings({ groups: { prefix: 'a', expression: 'claims.a' } }),
      ['jwt[0].claimMappings.groups.prefix: Invalid value: "a": may not be specified when expression is set'],
    ],
    [
      'a uid of both',
      mappings({ uid: { claim: 'a', expression: 'claims.a' } }),
      ['jwt[0].claimMappings.uid: Invalid value: "": claim and expression can\'t both be set'],
    ],
    [
      'an expression that is none',
      mappings({ uid: { expression: 'foo' } }),
      [
        "jwt[0].claimMappings.uid.expression: Invalid value: \"foo\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^",
      ],
    ],
    [
      'an e-mail address that nobody has verified',
      mappings({ username: { expression: 'claims.email' } }),
      [
        'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
      ],
    ],
    [
      'extras of no domain',
      mappings({ extra: [{ key: 'a', valueExpression: "'x'" }] }),
      ['jwt[0].claimMappings.extra[0].key: Invalid value: "a": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      'extras of Kubernetes',
      mappings({ extra: [{ key: 'a.k8s.io/b', valueExpression: "'x'" }] }),
      [
        'jwt[0].claimMappings.extra[0].key: Invalid value: "a.k8s.io/b": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
      ],
    ],
    [
      'extras twice',
      mappings({ extra: [0, 1].map(() => ({ key: 'a.io/b', valueExpression: "'x'" })) }),
      ['jwt[0].claimMappings.extra[1].key: Duplicate value: "a.io/b"'],
    ],
    [
      'extras of nothing',
      mappings({ extra: [{ key: 'a.io/B' }] }),
      [
        'jwt[0].claimMappings.extra[0].key: Invalid value: "a.io/B": must be lowercase',
        'jwt[0].claimMappings.extra[0].valueExpression: Required value',
      ],
    ],
    ['empty rules', rules({}), ['jwt[0].claimValidationRules[0]: Required value: claim or expression is required']],
    [
      'rules of both',
      rules({ claim: 'a', expression: 'true' }),
      ['jwt[0].claimValidationRules[0]: Invalid value: "a": claim and expression can\'t both be set'],
    ],
    [
      'rules twice',
      rules({ claim: 'a' }, { claim: 'a' }),
      ['jwt[0].claimValidationRules[1].claim: Duplicate value: "a"'],
    ],
    [
      'a rule with a message',
      rules({ claim: 'a', message: 'm' }),
      ['jwt[0].claimValidationRules[0].message: Invalid value: "m": may not be specified when claim is set'],
    ],
    [
      'a rule with a value',
      rules({ expression: 'true', requiredValue: 'v' }),
      ['jwt[0].claimValidationRules[0].requiredValue: Invalid value: "v": may not be specified when expression is set'],
    ],
    [
      'a rule that is no condition',
      rules({ expression: 'claims.a' }),
      ['jwt[0].claimValidationRules[0].expression: Invalid value: "claims.a": must evaluate to bool'],
    ],
    [
      'user rules',
      jwt({ userValidationRules: [{}, { expression: 'true' }, { expression: 'true' }] }),
      [
        'jwt[0].userValidationRules[0].expression: Required value',
        'jwt[0].userValidationRules[2].expression: Duplicate value: "true"',
      ],
    ],
    [
      'conditions for nobody',
      { anonymous: { enabled: false, conditions: [{ path: '/livez' }] } },
      [
        'anonymous.conditions: Invalid value: [{"path":"/livez"}]: enabled should be set to true when conditions are defined',
      ],
    ],
  ])('with %s is refused', (_, configuration, expected) => {
    expect(problems(configuration)).toEqual(expected);
  });

  it.each(['claims.?email_verified.orValue(true)', 'has(claims.email_verified) && claims.email_verified == true'])(
    'may name people by an address when it looks at %s',
    (expression) => {
      const {
        jwt: [one],
      } = mappings({ username: { expression: 'claims.email' } }) as { jwt: object[] };
      expect(problems({ jwt: [{ ...one, claimValidationRules: [{ expression: `${expression} == true` }] }] })).toEqual(
        [],
      );
    },
  );
});

describe('claims become a user', () => {
  const CLAIMS = {
    sub: 'u1',
    email: 'a@example.com',
    email_verified: true,
    roles: 'x,y',
    teams: ['t'],
    hd: 'example.com',
    n: 1,
  };
  const userOf = (configuration: object, claims: object): object | string => {
    const {
      errors,
      mappings: [mapping],
    } = validate(readConfiguration(JSON.stringify({ ...HEAD, ...configuration })));
    expect(errors).toEqual([]);
    try {
      const { name, uid, groups, extra } = mapped(mapping as NonNullable<typeof mapping>, claims as JsonObject);
      return { name, uid, groups: groups.slice(0, -1), extra };
    } catch (error) {
      return (error as Error).message;
    }
  };
  const nobody = { name: 'u1', uid: '', groups: [], extra: {} };
  const user = (...expressions: string[]): object =>
    jwt({ userValidationRules: expressions.map((expression) => ({ expression, message: 'no' })) });

  it.each<[string, object, object, object | string]>([
    ['by a claim', jwt({}), {}, nobody],
    ['with a prefix', mappings({ username: { claim: 'sub', prefix: 'p:' } }), {}, { ...nobody, name: 'p:u1' }],
    [
      'by an expression',
      mappings({ username: { expression: "claims.sub + '@' + claims.hd" } }),
      {},
      { ...nobody, name: 'u1@example.com' },
    ],
    [
      'by nothing',
      mappings({ username: { expression: "''" } }),
      {},
      'oidc: empty username via CEL expression is not allowed',
    ],
    [
      'by a number',
      mappings({ username: { expression: 'claims.n' } }),
      {},
      'oidc: error evaluating username claim expression: username claim expression must return a string',
    ],
    [
      'by what is not there',
      mappings({ username: { expression: 'claims.none' } }),
      {},
      "oidc: error evaluating username claim expression: expression 'claims.none' resulted in error: no such key: none",
    ],
    ['by an address', mappings({ username: { claim: 'email', prefix: '' } }), {}, { ...nobody, name: 'a@example.com' }],
    [
      'not by an address that is not verified',
      mappings({ username: { claim: 'email', prefix: '' } }),
      { email_verified: false },
      'oidc: email not verified',
    ],
    [
      'not by an address that may be',
      mappings({ username: { claim: 'email', prefix: '' } }),
      { email_verified: 'true' },
      "oidc: parse 'email_verified' claim: it is no boolean",
    ],
    [
      'not by what all objects have',
      mappings({ username: { claim: 'constructor', prefix: '' } }),
      {},
      'oidc: parse username claims "constructor": claim not present',
    ],
    ['with groups', mappings({ groups: { claim: 'teams', prefix: 'g:' } }), {}, { ...nobody, groups: ['g:t'] }],
    ['with one group', mappings({ groups: { claim: 'hd', prefix: '' } }), {}, { ...nobody, groups: ['example.com'] }],
    ['without groups', mappings({ groups: { claim: 'none', prefix: '' } }), {}, nobody],
    [
      'with groups of an expression',
      mappings({ groups: { expression: "claims.roles.split(',')" } }),
      {},
      { ...nobody, groups: ['x', 'y'] },
    ],
    [
      'with groups less empty ones',
      mappings({ groups: { expression: "['', 'a']" } }),
      {},
      { ...nobody, groups: ['a'] },
    ],
    [
      'with groups that are none',
      mappings({ groups: { expression: '[1]' } }),
      {},
      'oidc: error evaluating group claim expression: expression must return a string or a list of strings',
    ],
    ['with a uid', mappings({ uid: { claim: 'sub' } }), {}, { ...nobody, uid: 'u1' }],
    [
      'without the uid that is wanted',
      mappings({ uid: { claim: 'none' } }),
      {},
      'oidc: parse uid claim "none": claim not present',
    ],
    [
      'with a uid of an expression',
      mappings({ uid: { expression: "'x' + claims.sub" } }),
      {},
      { ...nobody, uid: 'xu1' },
    ],
    [
      'with extras',
      mappings({
        extra: [
          { key: 'a.io/b', valueExpression: 'claims.teams' },
          { key: 'a.io/c', valueExpression: "''" },
        ],
      }),
      {},
      { ...nobody, extra: { 'a.io/b': ['t'] } },
    ],
    ['of the right domain', rules({ claim: 'hd', requiredValue: 'example.com' }), {}, nobody],
    [
      'not of another domain',
      rules({ claim: 'hd', requiredValue: 'x.com' }),
      {},
      'oidc: required claim hd value does not match. Got = example.com, want = x.com',
    ],
    [
      'not of none',
      rules({ claim: 'none', requiredValue: 'x' }),
      {},
      'oidc: required claim none not present in ID token',
    ],
    ['by a rule', rules({ expression: "claims.hd == 'example.com'" }), {}, nobody],
    [
      'not against a rule',
      rules({ expression: "claims.hd == 'x'", message: 'hd' }),
      {},
      "oidc: error evaluating claim validation expression: validation expression 'claims.hd == 'x'' failed: hd",
    ],
    [
      'as a person',
      user("!user.username.startsWith('system:')", "user.groups.all(g, g != 'system:masters')"),
      {},
      nobody,
    ],
    [
      'not as the system',
      user("!user.username.startsWith('system:')"),
      { sub: 'system:admin' },
      "oidc: error evaluating user info validation rule: validation expression '!user.username.startsWith('system:')' failed: no",
    ],
    [
      'as one with extras',
      jwt({
        claimMappings: { ...USERNAME, extra: [{ key: 'a.io/b', valueExpression: 'claims.teams' }] },
        userValidationRules: [{ expression: "user.extra['a.io/b'].exists(x, x == 't')" }],
      }),
      {},
      { ...nobody, extra: { 'a.io/b': ['t'] } },
    ],
  ])('%s', (_, configuration, claims, expected) => {
    expect(userOf(configuration, { ...CLAIMS, ...claims })).toEqual(expected);
  });
});
