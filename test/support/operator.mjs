/**
 * A small operator: it copies the message of each Note into a ConfigMap, and says so in the Note's status. It is the webhook that converts
 * Notes (v1 has a text, v2 a message), gives them a colour, and refuses those that are rude. Argument: the folder with `tls.crt` and
 * `tls.key`.
 */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';

const [tlsFolder] = process.argv.slice(2);
const GROUP = 'ops.example.org';

function converted({ spec = {}, ...rest }, apiVersion) {
  const { text, message, ...others } = spec;
  const said = text ?? message;
  return {
    ...rest,
    apiVersion,
    spec: { ...others, ...(apiVersion.endsWith('/v2') ? { message: said } : { text: said }) },
  };
}

const HOOKS = {
  '/convert': ({ objects, desiredAPIVersion }) => ({
    result: { status: 'Success' },
    convertedObjects: objects.map((object) => converted(object, desiredAPIVersion)),
  }),
  '/mutate': ({ object }) => {
    const patch = [{ op: 'add', path: '/spec/colour', value: 'blue' }];
    if (object.spec?.colour !== undefined) return { allowed: true };
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  },
  '/validate': ({ object }) =>
    /rude/.test(object.spec?.message) ? { allowed: false, status: { message: 'be polite' } } : { allowed: true },
};

const tls = { cert: readFileSync(`${tlsFolder}/tls.crt`), key: readFileSync(`${tlsFolder}/tls.key`) };
https
  .createServer(tls, async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { apiVersion, kind, request: asked } = JSON.parse(text);
    const hook = HOOKS[new URL(request.url, 'https://here').pathname];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked.uid, ...hook(asked) } }));
  })
  .listen(8443);

const config = new KubeConfig();
config.loadFromCluster();
const core = config.makeApiClient(CoreV1Api);
const custom = config.makeApiClient(CustomObjectsApi);
const notes = { group: GROUP, version: 'v2', plural: 'notes' };

async function reconcile({ metadata, spec = {}, status }) {
  const { name, namespace, uid } = metadata;
  if (status?.copied === spec.message) return;
  const body = {
    metadata: { name, ownerReferences: [{ apiVersion: `${GROUP}/v2`, kind: 'Note', name, uid }] },
    data: { message: spec.message, colour: spec.colour },
  };
  try {
    await core.createNamespacedConfigMap({ namespace, body });
  } catch (error) {
    if (error.code !== 409) throw error;
    await core.replaceNamespacedConfigMap({ name, namespace, body });
  }
  const patch = { ...notes, name, namespace, body: { status: { copied: spec.message } } };
  await custom.patchNamespacedCustomObjectStatus(patch, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
}

const informer = makeInformer(config, `/apis/${GROUP}/v2/notes`, () =>
  custom.listCustomObjectForAllNamespaces({ group: GROUP, version: 'v2', resourcePlural: 'notes' }),
);
const work = (note) => reconcile(note).catch((error) => console.error(error.message));
informer.on('add', work);
informer.on('update', work);
informer.on('error', (error) => {
  console.error(error?.message);
  setTimeout(() => informer.start(), 500);
});
await informer.start();
