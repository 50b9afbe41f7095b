/** The API server: a request's way from the socket to its answer, in order. */
import { Hono, type Context as HonoContext } from 'hono';
import { badRequest, internalError, methodNotAllowed, noSuchPath, StatusError } from '../apimachinery/errors.ts';
import { isServed } from '../resources/index.ts';
import { proxyToService } from './aggregation/proxy.ts';
import type { Auditor } from './audit/auditor.ts';
import type { AuditRecord } from './audit/record.ts';
import { Authenticator } from './authentication/authenticate.ts';
import { placeOf } from './authentication/place.ts';
import { attributesOf, authorize } from './authorization/authorize.ts';
import { impersonated } from './authorization/impersonate.ts';
import { isGroup } from './catalogue.ts';
import type { Context, Execution, Surroundings } from './context.ts';
import { discovery } from './discovery.ts';
import { dispatch } from './dispatch.ts';
import { marked, serveFairly } from './flowcontrol/admit.ts';
import { nonResource } from './handlers/non-resource.ts';
import { zeroplane } from './handlers/zeroplane.ts';
import { afterWrite } from './invalidate.ts';
import { resolveIssuer } from './issuer.ts';
import { Metrics } from './metrics.ts';
import { negotiateStatus } from './negotiation.ts';
import { type RequestInfo, requestInfo } from './request-info.ts';
import { respondStatus } from './respond.ts';
import { snapshots } from './snapshot.ts';

type Env = {
  Bindings: { around: Surroundings; execution?: Execution; auditor?: Auditor | undefined };
  Variables: { context: Context; info: RequestInfo; url: URL; audit: AuditRecord | undefined };
};

/** Kept by the isolate, for all its requests. */
const authenticator = new Authenticator();
const metrics = new Metrics();

/** The API server as a Hono app. Call `app.fetch(request, {around, execution})`. */
export const app = new Hono<Env>();

app.onError((error, c) => {
  const accepted = negotiateStatus(c.req.raw);
  if (error instanceof StatusError) return respondStatus(error.status, accepted, c.get('context')?.warnings);
  console.error(error);
  return respondStatus(internalError('an unexpected error; the server log says more').status, accepted);
});

/** Request info; what is ours and not Kubernetes' is answered here. */
app.use(async (c, next) => {
  checkPath(c.req.url);
  const url = new URL(c.req.url);
  const info = requestInfo(c.req.method, url);
  if (info.cluster === '') throw noSuchPath();
  c.set('url', url);
  c.set('info', info);
  const answered = metrics.begin(c.req.raw, info);
  const audit = c.env.auditor?.begin(c.req.raw, info, c.env.execution);
  c.set('audit', audit);
  await next();
  answered(c.res.status);
  const flow = c.get('context')?.flow;
  if (flow !== undefined) replaceAnswer(c, marked(c.res, flow));
  if (audit !== undefined) replaceAnswer(c, audit.answered(c.res, c.error));
});

/** Authentication, and whom the request acts as. */
app.use(async (c, next) => {
  const { around } = c.env;
  const info = c.get('info');
  const record = c.get('audit');
  const own = info.path.startsWith('/zeroplane/v1/')
    ? await zeroplane(
        c.req.raw,
        info,
        around,
        async (snapshot) => {
          const user = await authenticator.authenticate(c.req.raw, placeOf(info, around, snapshot));
          record?.identified(user, true);
          return user;
        },
        snapshots,
        record,
      )
    : undefined;
  if (own !== undefined) return own;
  const found = snapshots.get(info.cluster, around.cluster(info.cluster));
  const snapshot = found instanceof Promise ? await found : found;
  resolveIssuer(info, snapshot);
  const identified = authenticator.authenticate(c.req.raw, placeOf(info, around, snapshot));
  const identity = identified instanceof Promise ? await identified : identified;
  const audit = record?.identified(identity, snapshot.remote.ofPath(info.path) !== undefined) ? record : undefined;
  const { authorizer } = snapshot;
  const request = c.req.raw;
  const url = c.get('url');
  const acting = impersonated(request.headers, identity, authorizer, () => attributesOf(info, url));
  const user = acting instanceof Promise ? await acting : acting;
  if (user !== identity) audit?.impersonating(user);
  c.set('context', { request, url, info, user, snapshot, authenticator, authorizer, around, warnings: [], audit });
  await next();
  return;
});

/** Priority and fairness. */
app.use((c, next) => serveFairly(c.get('context'), c.env.execution, next));

/** Authorization. */
app.use(async (c, next) => {
  const pending = authorize(c.get('context'));
  if (pending !== undefined) await pending;
  await next();
});

app.all('*', async (c) => {
  const context = c.get('context');
  const { info, request } = context;
  const remote = context.snapshot.remote.ofPath(info.path);
  if (remote !== undefined) return proxyToService(context, remote);
  if (!info.isResource) {
    const answer = (await discovery(context)) ?? (await nonResource(context, metrics));
    if (answer === undefined) return noRoute(context);
    if (request.method !== 'GET' && GET_ONLY.test(info.path)) throw methodNotAllowed();
    return answer;
  }
  const { custom } = context.snapshot;
  if (!isServed(info.group, info.version) && !custom.serves(info.group, info.version)) return noRoute(context);
  const answer = await dispatch(context);
  if (info.verb !== 'get' && info.verb !== 'list' && info.verb !== 'watch')
    afterWrite(info, snapshots, authenticator.bound);
  return answer;
});

/** Hono would take the headers of the old answer over. */
function replaceAnswer(c: HonoContext<Env>, answer: Response): void {
  if (answer === c.res) return;
  c.res = undefined;
  c.res = answer;
}

/** A URL with `.` or `..` in it, encoded or not, means one thing to who reads it and another to who resolves it: nothing is served there. */
const DOTS = /^[^?#]*\/(?:\.|%2e){1,2}(?:[/?#]|$)/i;
const BAD_ESCAPE = /^[^?#]*%(?![0-9a-f]{2})/i;

function checkPath(url: string): void {
  if (BAD_ESCAPE.test(url)) throw badRequest('the path of the URL has an invalid escape');
  if (DOTS.test(url)) throw noSuchPath();
}

/** Documents that upstream's router serves; what lies beside them takes any method. */
const GET_ONLY = /^\/(?:apis?|version)(?:\/|$)/;

/** Below `/api` and the groups that there are upstream's router answers with a Status; elsewhere in plain text. */
function noRoute({ info, snapshot }: Context): Response {
  const [, root, group = ''] = info.path.split('/');
  const { custom, remote } = snapshot;
  if (root === 'api' || (root === 'apis' && (isGroup(group) || custom.hasGroup(group) || remote.hasGroup(group))))
    throw noSuchPath();
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return new Response('404 page not found\n', { status: 404, headers });
}
