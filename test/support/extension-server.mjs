/**
 * A small aggregated API server: fortunes, kept in memory, which say who asked. Believes nobody but the front proxy.
 * Arguments: the folder with `tls.crt` and `tls.key`, and the one with the ConfigMap `extension-apiserver-authentication`.
 */
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [tlsFolder, authFolder] = process.argv.slice(2);
const auth = (key) => readFileSync(`${authFolder}/${key}`, 'utf8');
const GROUP = 'fortunes.example.org';
const BASE = `/apis/${GROUP}/v1`;
const VERBS = ['create', 'delete', 'get', 'list', 'watch'];
const AGGREGATED = /application\/json;g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/;

const fortunes = new Map();
const watchers = new Set();
let resourceVersion = 0;

const meta = { kind: 'Fortune', apiVersion: `${GROUP}/v1` };
const failure = (code, reason, message) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  code,
});

const discovery = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: GROUP },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'fortunes',
              responseKind: { group: GROUP, version: 'v1', kind: 'Fortune' },
              scope: 'Namespaced',
              singularResource: 'fortune',
              shortNames: ['ft'],
              verbs: VERBS,
            },
          ],
        },
      ],
    },
  ],
};
const resourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${GROUP}/v1`,
  resources: [
    {
      name: 'fortunes',
      singularName: 'fortune',
      namespaced: true,
      kind: 'Fortune',
      shortNames: ['ft'],
      verbs: VERBS,
    },
  ],
};
const schema = {
  type: 'object',
  description: 'A fortune that was told.',
  properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, text: { type: 'string' } },
  'x-kubernetes-group-version-kind': [{ group: GROUP, version: 'v1', kind: 'Fortune' }],
};
const openapi = {
  openapi: '3.0.0',
  info: { title: 'fortunes', version: 'v1' },
  paths: {
    [`${BASE}/namespaces/{namespace}/fortunes`]: {
      get: {
        'x-kubernetes-action': 'list',
        'x-kubernetes-group-version-kind': { group: GROUP, version: 'v1', kind: 'Fortune' },
        responses: {},
      },
    },
  },
  components: { schemas: { 'org.example.fortunes.v1.Fortune': schema } },
};

const tls = {
  cert: readFileSync(`${tlsFolder}/tls.crt`),
  key: readFileSync(`${tlsFolder}/tls.key`),
  ca: auth('requestheader-client-ca-file'),
  requestCert: true,
  rejectUnauthorized: false,
};

https
  .createServer(tls, async (request, response) => {
    const url = new URL(request.url, 'https://here');
    const answer = (body, code = 200, type = 'application/json') => {
      response.writeHead(code, { 'content-type': type });
      response.end(JSON.stringify(body));
    };
    const name = request.socket.getPeerCertificate().subject?.CN;
    const allowed = JSON.parse(auth('requestheader-allowed-names'));
    if (!request.socket.authorized || !allowed.includes(name)) {
      return answer(failure(401, 'Unauthorized', `${name} is not the front proxy`), 401);
    }
    if (Object.keys(request.headers).some((header) => header.startsWith('impersonate-'))) {
      return answer(failure(400, 'BadRequest', 'the front proxy has impersonated already'), 400);
    }
    const user = request.headers['x-remote-user'];
    const groups = request.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1] === 'X-Remote-Group');
    if (url.pathname === '/apis') {
      if (!AGGREGATED.test(request.headers.accept ?? '')) return answer(failure(406, 'NotAcceptable', 'no'), 406);
      return answer(discovery, 200, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    }
    if (url.pathname === BASE) return answer(resourceList);
    if (url.pathname === '/openapi/v3') {
      return answer({ paths: { [BASE.slice(1)]: { serverRelativeURL: `/openapi/v3${BASE}?hash=1` } } });
    }
    if (url.pathname === `/openapi/v3${BASE}`) return answer(openapi);
    const found = new RegExp(`^${BASE}(?:/namespaces/([^/]+))?/fortunes(?:/([^/]+))?$`).exec(url.pathname);
    if (found === null) return answer(failure(404, 'NotFound', 'no such path'), 404);
    const [, namespace = '', asked] = found;
    const key = `${namespace}/${asked}`;
    if (request.method === 'POST') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const object = JSON.parse(Buffer.concat(chunks).toString());
      Object.assign(object, meta, { user, groups, size: object.text?.length });
      delete object.text;
      Object.assign(object.metadata, {
        namespace,
        uid: crypto.randomUUID(),
        resourceVersion: String(++resourceVersion),
        creationTimestamp: new Date().toISOString(),
      });
      fortunes.set(`${namespace}/${object.metadata.name}`, object);
      for (const watcher of watchers) watcher.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
      return answer(object, 201);
    }
    if (request.method === 'DELETE') {
      fortunes.delete(key);
      return answer({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
    }
    if (asked !== undefined) {
      const object = fortunes.get(key);
      return object === undefined
        ? answer(failure(404, 'NotFound', `fortunes.${GROUP} "${asked}" not found`), 404)
        : answer(object);
    }
    if (url.searchParams.get('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      watchers.add(response);
      response.on('close', () => watchers.delete(response));
      return;
    }
    const items = [...fortunes].filter(([key]) => namespace === '' || key.startsWith(`${namespace}/`));
    answer({
      kind: 'FortuneList',
      apiVersion: `${GROUP}/v1`,
      metadata: { resourceVersion: String(resourceVersion) },
      items: items.map(([, object]) => object),
    });
  })
  .listen(8443);
process.on('SIGTERM', () => process.exit(0));
