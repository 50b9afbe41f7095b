/** Whether a configuration makes sense (upstream's `ValidateAuthenticationConfiguration`); its expressions are compiled on the way. */
import type { Program } from '../../../apimachinery/cel/program.ts';
import { duplicate, type FieldError, invalid, item, required, tooMany } from '../../../apimachinery/field.ts';
import { domainPrefixedPath } from '../../../resources/validation/formats.ts';
import type { AuthenticationConfiguration, JWTAuthenticator, PrefixedClaimOrExpression } from './configuration.ts';
import { expression, type Subject, usesClaim } from './expressions.ts';
import { validateIssuer } from './validate-issuer.ts';

/** An expression that is ready to run. */
export interface Ready {
  text: string;
  program: Program;
}

/** Where a value comes from: a claim as it is, or an expression over all. */
export type Source = { claim: string; prefix: string } | Ready;

/** A condition, and what is said where it does not hold. */
export type Rule = Ready & { message: string };

/** What makes a user of a token's claims. */
export interface Mapping {
  username: Source;
  groups: Source | undefined;
  uid: Source | undefined;
  extra: (Ready & { key: string })[];
  required: { claim: string; value: string }[];
  claimRules: Rule[];
  userRules: Rule[];
}

const MOST_AUTHENTICATORS = 64;
const BOTH = "claim and expression can't both be set";
const NEITHER = 'claim or expression is required';

/** Validates a configuration; `mappings` stand in the order of its authenticators, and are of use where there are no errors. */
export function validate({ jwt = [], anonymous }: AuthenticationConfiguration): {
  errors: FieldError[];
  mappings: Mapping[];
} {
  if (jwt.length > MOST_AUTHENTICATORS) {
    return { errors: [tooMany('jwt', jwt.length, MOST_AUTHENTICATORS)], mappings: [] };
  }
  const errors: FieldError[] = [];
  const urls = new Set<string>();
  const discoveryURLs = new Set<string>();
  const mappings = jwt.map((authenticator, i) => {
    const path = item('jwt', i);
    const { url = '', discoveryURL = '' } = authenticator.issuer ?? {};
    errors.push(...validateIssuer(authenticator.issuer ?? {}, `${path}.issuer`));
    const mapping = new Validation(errors).mapping(authenticator, path);
    if (urls.has(url)) errors.push(duplicate(`${path}.issuer.url`, url));
    urls.add(url);
    if (discoveryURL !== '' && discoveryURLs.has(discoveryURL)) {
      errors.push(duplicate(`${path}.issuer.discoveryURL`, discoveryURL));
    }
    discoveryURLs.add(discoveryURL);
    return mapping;
  });
  const { enabled = false, conditions = [] } = anonymous ?? {};
  if (!enabled && conditions.length > 0) {
    const why = 'enabled should be set to true when conditions are defined';
    errors.push(invalid('anonymous.conditions', conditions, why));
  }
  return { errors, mappings };
}

/** One authenticator's rules and mappings. */
class Validation {
  private readonly errors: FieldError[];
  private readsEmail = false;
  private readsEmailVerified = false;

  constructor(errors: FieldError[]) {
    this.errors = errors;
  }

  mapping(authenticator: JWTAuthenticator, path: string): Mapping {
    const { claimValidationRules, userValidationRules, claimMappings = {} } = authenticator;
    const rules = this.claimRules(claimValidationRules ?? [], `${path}.claimValidationRules`);
    const at = `${path}.claimMappings`;
    const username = this.source(claimMappings.username ?? {}, `${at}.username`, true);
    if (username !== undefined && 'program' in username) {
      this.readsEmail ||= usesClaim(username.program, 'email');
      this.noteVerified(username);
    }
    const groups = this.source(claimMappings.groups ?? {}, `${at}.groups`, false);
    const uid = this.uid(claimMappings.uid ?? {}, `${at}.uid`);
    const extra = this.extra(claimMappings.extra ?? [], `${at}.extra`);
    if (this.readsEmail && !this.readsEmailVerified) {
      const why =
        'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression';
      this.errors.push(invalid(`${at}.username.expression`, claimMappings.username?.expression ?? '', why));
    }
    const userRules = this.userRules(userValidationRules ?? [], `${path}.userValidationRules`);
    return { username: username ?? { claim: '', prefix: '' }, groups, uid, extra, ...rules, userRules };
  }

  private claimRules(
    rules: NonNullable<JWTAuthenticator['claimValidationRules']>,
    path: string,
  ): Pick<Mapping, 'required' | 'claimRules'> {
    const wanted: Mapping['required'] = [];
    const compiled: Rule[] = [];
    const claims = new Set<string>();
    const expressions = new Set<string>();
    for (const [i, { claim = '', requiredValue = '', expression: text = '', message = '' }] of rules.entries()) {
      const at = item(path, i);
      if (claim !== '' && text !== '') this.errors.push(invalid(at, claim, BOTH));
      else if (claim === '' && text === '') this.errors.push(required(at, NEITHER));
      else if (claim !== '') {
        this.unlessEmpty(message, `${at}.message`, 'may not be specified when claim is set');
        this.once(claims, claim, `${at}.claim`);
        wanted.push({ claim, value: requiredValue });
      } else {
        this.unlessEmpty(requiredValue, `${at}.requiredValue`, 'may not be specified when expression is set');
        if (!this.once(expressions, text, `${at}.expression`)) continue;
        const ready = this.compile(text, 'claims', `${at}.expression`, true);
        if (ready === undefined) continue;
        this.noteVerified(ready);
        compiled.push({ ...ready, message });
      }
    }
    return { required: wanted, claimRules: compiled };
  }

  private source(
    { claim = '', prefix, expression: text = '' }: PrefixedClaimOrExpression,
    path: string,
    isRequired: boolean,
  ): Source | undefined {
    if (claim !== '' && text !== '') this.errors.push(invalid(path, '', BOTH));
    else if (text !== '') {
      if (prefix !== undefined) {
        this.errors.push(invalid(`${path}.prefix`, prefix, 'may not be specified when expression is set'));
      }
      return this.compile(text, 'claims', `${path}.expression`);
    } else if (claim !== '') {
      if (prefix === undefined) {
        const why = 'prefix is required when claim is set. It can be set to an empty string to disable prefixing';
        this.errors.push(required(`${path}.prefix`, why));
      }
      return { claim, prefix: prefix ?? '' };
    } else if (isRequired) this.errors.push(required(path, NEITHER));
    return undefined;
  }

  private uid({ claim = '', expression: text = '' }: { claim?: string; expression?: string }, path: string) {
    if (claim !== '' && text !== '') this.errors.push(invalid(path, '', BOTH));
    if (text !== '') return this.compile(text, 'claims', `${path}.expression`);
    return claim === '' ? undefined : { claim, prefix: '' };
  }

  private extra(mappings: { key?: string; valueExpression?: string }[], path: string): Mapping['extra'] {
    const keys = new Set<string>();
    return mappings.flatMap(({ key = '', valueExpression = '' }, i) => {
      const at = item(path, i);
      domainPrefixedPath(key, `${at}.key`, this.errors);
      if (key !== key.toLowerCase()) this.errors.push(invalid(`${at}.key`, key, 'must be lowercase'));
      if (RESERVED.test(key)) {
        const why = 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use';
        this.errors.push(invalid(`${at}.key`, key, why));
      }
      if (!this.once(keys, key, `${at}.key`)) return [];
      if (valueExpression === '') {
        this.errors.push(required(`${at}.valueExpression`));
        return [];
      }
      const ready = this.compile(valueExpression, 'claims', `${at}.valueExpression`);
      if (ready === undefined) return [];
      this.noteVerified(ready);
      return [{ ...ready, key }];
    });
  }

  private userRules(rules: { expression?: string; message?: string }[], path: string): Rule[] {
    const expressions = new Set<string>();
    return rules.flatMap(({ expression: text = '', message = '' }, i) => {
      const at = `${item(path, i)}.expression`;
      if (text === '') this.errors.push(required(at));
      else if (this.once(expressions, text, at)) {
        const ready = this.compile(text, 'user', at, true);
        if (ready !== undefined) return [{ ...ready, message }];
      }
      return [];
    });
  }

  private compile(text: string, subject: Subject, path: string, isCondition = false): Ready | undefined {
    const compiled = expression(text, subject, isCondition);
    if ('program' in compiled) return { text, program: compiled.program };
    this.errors.push(invalid(path, text, compiled.problem));
    return undefined;
  }

  private noteVerified({ program }: Ready): void {
    this.readsEmailVerified ||= usesClaim(program, 'email_verified');
  }

  private once(seen: Set<string>, value: string, path: string): boolean {
    const isNew = !seen.has(value);
    if (!isNew) this.errors.push(duplicate(path, value));
    seen.add(value);
    return isNew;
  }

  private unlessEmpty(value: string, path: string, why: string): void {
    if (value !== '') this.errors.push(invalid(path, value, why));
  }
}

const RESERVED = /^(?:[^/]*\.)?(?:kubernetes|k8s)\.io\//;
