/** The description of the cluster by which machines find its CA (`kubeadm init phase bootstrap-token`): readable by anybody, and nothing else is. */
import type { HttpClient } from '../../agent/client.ts';
import { CLUSTER_INFO, KUBECONFIG_KEY } from '../../src/apimachinery/cluster-info.ts';
import { isReason } from '../../src/apimachinery/errors.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import type { ConfigMap } from '../../src/generated/types/core.v1.ts';
import type { Role, RoleBinding } from '../../src/generated/types/rbac.v1.ts';

const RBAC = 'rbac.authorization.k8s.io';
/** kubeadm's name for the Role and its RoleBinding. */
const READERS = { name: 'kubeadm:bootstrap-signer-clusterinfo', namespace: CLUSTER_INFO.namespace };

const role: Role = {
  metadata: READERS,
  rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [CLUSTER_INFO.name], verbs: ['get'] }],
};
const binding: RoleBinding = {
  metadata: READERS,
  roleRef: { apiGroup: RBAC, kind: 'Role', name: READERS.name },
  subjects: [{ apiGroup: RBAC, kind: 'User', name: 'system:anonymous' }],
};

/** Makes sure that the cluster describes itself so. `ca`: PEM. The bootstrap-signer signs it. */
export async function describeCluster(client: HttpClient, server: string, ca: string): Promise<void> {
  const data = { [KUBECONFIG_KEY]: kubeconfig(server, ca) };
  const { namespace, name } = CLUSTER_INFO;
  await ensure(client, `${RBAC}/roles`, role);
  await ensure(client, `${RBAC}/rolebindings`, binding);
  if (await ensure(client, 'core/configmaps', { metadata: { ...CLUSTER_INFO }, data })) return;
  const present = await client.get<ConfigMap>('core/configmaps', namespace, name);
  if (present?.data?.[KUBECONFIG_KEY] === data[KUBECONFIG_KEY]) return;
  await client.patch('core/configmaps', namespace, name, 'merge', { data });
}

/** Whether the object was made; false where it is there. */
async function ensure(client: HttpClient, id: string, object: KubeObject & Partial<ConfigMap>): Promise<boolean> {
  try {
    await client.create(id, object);
    return true;
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) return false;
    throw error;
  }
}

const kubeconfig = (server: string, ca: string): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(ca).toString('base64')}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;
