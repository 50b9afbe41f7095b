/** NodeRestriction: a node makes only what is its own. What it changes and deletes is judged inside the stores. */
import { forbidden, notFound } from '../../../apimachinery/errors.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type { TokenRequest } from '../../../generated/types/authentication.v1.ts';
import type { Node, Pod } from '../../../generated/types/core.v1.ts';
import { podReferences } from '../../../resources/core/pod-references.ts';
import { nodeNameOf } from '../../authorization/node-authorizer.ts';
import type { Requester } from '../../context.ts';
import { decodeText } from '../../registry/encode.ts';
import type { AdmissionPlugin, Attributes } from '../plugin.ts';
import { sliceProblem } from './change.ts';
import { forbiddenLabels } from './labels.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const NODE_LEASES = 'kube-node-lease';

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  handles: ({ context, operation }) => operation === 'CREATE' && nodeNameOf(context.user) !== undefined,
  async admit(attributes) {
    const node = nodeNameOf(attributes.context.user) ?? '';
    const why = node === '' ? unknownNode(attributes) : await judge(attributes, node);
    if (why !== undefined) throw forbidden(attributes.resource, nameOf(attributes), why);
  },
};

const nameOf = ({ context, object, subresource }: Attributes): string =>
  subresource === '' ? object.metadata.name : context.info.name;

const unknownNode = ({ context }: Attributes): string =>
  `could not determine node from user ${JSON.stringify(context.user.name)}`;

function judge(attributes: Attributes, node: string): Promise<string | undefined> | string | undefined {
  const { resource, subresource, object, context } = attributes;
  const who = `node ${JSON.stringify(node)}`;
  const { name } = object.metadata;
  switch (`${resource.group}/${resource.resource}${subresource === '' ? '' : `/${subresource}`}`) {
    case '/pods':
      return mirrorPod(context, object as Pod, node, who);
    case '/pods/eviction':
      return eviction(context, node);
    case '/pods/binding':
      return `unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`;
    case '/nodes':
      return ownNode(object as Node, node, who);
    case '/serviceaccounts/token':
      return token(context, object as TokenRequest, node);
    case 'coordination.k8s.io/leases':
      if (context.info.namespace !== NODE_LEASES) {
        return `can only access leases in the "${NODE_LEASES}" system namespace`;
      }
      return name === node ? undefined : 'can only access node lease with the same name as the requesting node';
    case 'storage.k8s.io/csinodes':
      return name === node ? undefined : 'can only access CSINode with the same name as the requesting node';
    case 'resource.k8s.io/resourceslices':
      return sliceProblem(object, node);
    default:
      return undefined;
  }
}

function ownNode({ metadata, spec }: Node, node: string, who: string): string | undefined {
  if (metadata.name !== node) return `${who} is not allowed to modify node ${JSON.stringify(metadata.name)}`;
  if (spec?.configSource !== undefined) return `${who} is not allowed to create pods with a non-nil configSource`;
  const labels = forbiddenLabels(metadata.labels);
  return labels.length === 0 ? undefined : `${who} is not allowed to set the following labels: ${labels.join(', ')}`;
}

/** A mirror pod shows a pod that the node runs by itself, and opens no doors. */
async function mirrorPod(context: Requester, pod: Pod, node: string, who: string): Promise<string | undefined> {
  const { annotations = {}, ownerReferences = [] } = pod.metadata;
  if (annotations[MIRROR] === undefined) {
    return `pod does not have ${JSON.stringify(MIRROR)} annotation, ${who} can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== node) return `${who} can only create pods with spec.nodeName set to itself`;
  if (ownerReferences.length > 1) return `${who} can only create pods with a single owner reference set to itself`;
  const [owner] = ownerReferences;
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    return `${who} can only create pods with an owner reference set to itself`;
  }
  if (owner.controller !== true) return `${who} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion === true) return `${who} must not set blockOwnerDeletion on an owner reference`;
  const text = await context.around.store(context.info.cluster, 'core/nodes').get(node);
  if (text === null) throw notFound({ group: '', resource: 'node' }, node);
  const { uid } = decodeText(text).metadata;
  if (owner.uid !== uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
  return mirrorReferences(pod, who);
}

function mirrorReferences(pod: Pod, who: string): string | undefined {
  const { secrets, configMaps } = podReferences(pod);
  const { serviceAccountName, volumes = [], resourceClaims = [] } = pod.spec ?? {};
  const refuse = (what: string): string => `${who} can not create pods that reference ${what}`;
  if (serviceAccountName) return refuse('a service account');
  if (secrets.length > 0) return refuse('secrets');
  if (configMaps.length > 0) return refuse('configmaps');
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) return refuse('clustertrustbundles');
  if (volumes.some((volume) => volume.persistentVolumeClaim !== undefined)) return refuse('persistentvolumeclaims');
  return resourceClaims.length > 0 ? refuse('resourceclaims') : undefined;
}

async function podOf({ around, info }: Requester, name: string): Promise<Pod> {
  const text = await around.store(info.cluster, 'core/pods').get(`${info.namespace}/${name}`);
  if (text === null) throw notFound({ group: '', resource: 'pod' }, name);
  return decodeText<Pod>(text);
}

async function eviction(context: Requester, node: string): Promise<string | undefined> {
  const pod = await podOf(context, context.info.name);
  return pod.spec?.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`;
}

/** A token for a pod that runs here, and of an audience that the pod asks for or that the node was granted. */
async function token(context: Requester, { spec }: TokenRequest, node: string): Promise<string | undefined> {
  const { apiVersion, kind, name = '', uid = '' } = spec?.boundObjectRef ?? {};
  if (apiVersion !== 'v1' || kind !== 'Pod' || name === '') return 'node requested token not bound to a pod';
  if (uid === '') return 'node requested token with a pod binding without a uid';
  const pod = await podOf(context, name);
  if (uid !== pod.metadata.uid) {
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node';
  const audiences = spec?.audiences ?? [];
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
  const [audience = ''] = audiences;
  if ((await asksFor(context, pod, audience)) || (await mayRequest(context, audience))) return undefined;
  return `audience ${JSON.stringify(audience)} not found in pod spec volume`;
}

/** Whether a volume of the pod is to hold a token of the audience: by itself, or because its CSI driver asks for one. */
async function asksFor({ around, info }: Requester, { spec }: Pod, audience: string): Promise<boolean> {
  const volumes = spec?.volumes ?? [];
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  if (sources.some(({ serviceAccountToken: wanted }) => wanted !== undefined && (wanted.audience ?? '') === audience)) {
    return true;
  }
  const drivers = volumes.flatMap(({ csi }) => csi?.driver ?? []);
  if (drivers.length === 0) return false;
  const texts = await around.store(info.cluster, 'storage.k8s.io/csidrivers').getMany(drivers);
  return texts.some((text) => {
    const { tokenRequests = [] } = text === null ? {} : (decodeText<CsiDriver>(text).spec ?? {});
    return tokenRequests.some((request) => (request.audience ?? '') === audience);
  });
}

interface CsiDriver extends KubeObject {
  spec?: { tokenRequests?: { audience?: string }[] };
}

async function mayRequest({ user, info, snapshot }: Requester, audience: string): Promise<boolean> {
  if (snapshot === undefined) return false;
  const { namespace, name } = info;
  const verb = 'request-serviceaccounts-token-audience';
  const asked = { verb, isResource: true, group: '', resource: audience, subresource: '', namespace, name, path: '' };
  return (await snapshot.authorizer.authorize(user, asked)).allowed;
}
