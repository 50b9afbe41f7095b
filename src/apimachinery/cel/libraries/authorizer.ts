/** Kubernetes' `authorizer` library: what the user of a request, or a service account, may do. */
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts';
import { fail, functions, type Library } from './library.ts';

/** What is asked; of a path, or of a resource. */
export interface AccessQuery {
  verb: string;
  path?: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** Who is meant; the user of the request unless said. */
  serviceAccount?: { namespace: string; name: string };
}

export interface AccessDecision {
  allowed: boolean;
  reason: string;
  /** Why it could not be decided. */
  error?: string;
}

export type CheckAccess = (query: AccessQuery) => AccessDecision;

const ANY: AccessQuery = { verb: '', group: '', resource: '', subresource: '', namespace: '', name: '' };

class CelDecision {
  readonly said: AccessDecision;

  constructor(said: AccessDecision) {
    this.said = said;
  }
}

/** A question on its way; each step of it is a type of its own. */
abstract class Question {
  readonly check: CheckAccess;
  readonly query: AccessQuery;

  constructor(check: CheckAccess, query: AccessQuery) {
    this.check = check;
    this.query = query;
  }

  ask(verb: string): CelDecision {
    return new CelDecision(this.check({ ...this.query, verb }));
  }
}

class PathCheck extends Question {}
class GroupCheck extends Question {}
class ResourceCheck extends Question {
  with(more: Partial<AccessQuery>): ResourceCheck {
    return new ResourceCheck(this.check, { ...this.query, ...more });
  }
}

/** The value of `authorizer`; `requested` is what the request itself is about. */
export class CelAuthorizer extends Question {
  readonly requestResource: ResourceCheck;

  constructor(check: CheckAccess, requested: Partial<AccessQuery>, query: AccessQuery = ANY) {
    super(check, query);
    this.requestResource = new ResourceCheck(check, { ...query, ...requested });
  }

  forAccount(namespace: string, name: string): CelAuthorizer {
    const [wrongNamespace] = isDns1123Label(namespace);
    const [wrongName] = isDns1123Subdomain(name);
    if (wrongName !== undefined) fail('Invalid service account name');
    if (wrongNamespace !== undefined) fail('Invalid service account namespace');
    return new CelAuthorizer(this.check, this.requestResource.query, {
      ...this.query,
      serviceAccount: { namespace, name },
    });
  }
}

const TYPE = 'kubernetes.authorization';

const members = functions({
  [`${TYPE}.Authorizer.path(string): ${TYPE}.PathCheck`]: ({ check, query }: CelAuthorizer, path: string) =>
    path.trim() === '' ? fail('path must not be empty') : new PathCheck(check, { ...query, path }),
  [`${TYPE}.Authorizer.group(string): ${TYPE}.GroupCheck`]: ({ check, query }: CelAuthorizer, group: string) =>
    new GroupCheck(check, { ...query, group }),
  [`${TYPE}.Authorizer.serviceAccount(string, string): ${TYPE}.Authorizer`]: (
    authorizer: CelAuthorizer,
    namespace: string,
    name: string,
  ) => authorizer.forAccount(namespace, name),
  [`${TYPE}.GroupCheck.resource(string): ${TYPE}.ResourceCheck`]: ({ check, query }: GroupCheck, resource: string) =>
    resource.trim() === '' ? fail('resource must not be empty') : new ResourceCheck(check, { ...query, resource }),
  [`${TYPE}.ResourceCheck.subresource(string): ${TYPE}.ResourceCheck`]: (of: ResourceCheck, subresource: string) =>
    of.with({ subresource }),
  [`${TYPE}.ResourceCheck.namespace(string): ${TYPE}.ResourceCheck`]: (of: ResourceCheck, namespace: string) =>
    of.with({ namespace }),
  [`${TYPE}.ResourceCheck.name(string): ${TYPE}.ResourceCheck`]: (of: ResourceCheck, name: string) => of.with({ name }),
  [`${TYPE}.ResourceCheck.fieldSelector(string): ${TYPE}.ResourceCheck`]: (of: ResourceCheck, fieldSelector: string) =>
    of.with({ fieldSelector }),
  [`${TYPE}.ResourceCheck.labelSelector(string): ${TYPE}.ResourceCheck`]: (of: ResourceCheck, labelSelector: string) =>
    of.with({ labelSelector }),
  [`${TYPE}.PathCheck.check(string): ${TYPE}.Decision`]: (of: PathCheck, verb: string) => of.ask(verb.toLowerCase()),
  [`${TYPE}.ResourceCheck.check(string): ${TYPE}.Decision`]: (of: ResourceCheck, verb: string) => of.ask(verb),
  [`${TYPE}.Decision.allowed(): bool`]: ({ said }: CelDecision) => said.allowed,
  [`${TYPE}.Decision.reason(): string`]: ({ said }: CelDecision) => said.reason,
  [`${TYPE}.Decision.errored(): bool`]: ({ said }: CelDecision) => said.error !== undefined,
  [`${TYPE}.Decision.error(): string`]: ({ said }: CelDecision) => said.error ?? '',
});

/** Adds the library, with a variable `authorizer`. */
export const authorizer: Library = (environment) => {
  environment.registerType(`${TYPE}.PathCheck`, { ctor: PathCheck, fields: {} });
  environment.registerType(`${TYPE}.GroupCheck`, { ctor: GroupCheck, fields: {} });
  environment.registerType(`${TYPE}.ResourceCheck`, { ctor: ResourceCheck, fields: {} });
  environment.registerType(`${TYPE}.Decision`, { ctor: CelDecision, fields: {} });
  const fields = { requestResource: `${TYPE}.ResourceCheck` };
  environment.registerType(`${TYPE}.Authorizer`, { ctor: CelAuthorizer, fields });
  members(environment);
  environment.registerVariable('authorizer', `${TYPE}.Authorizer`);
};
