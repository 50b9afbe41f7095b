/** DefaultStorageClass and DefaultIngressClass: an object that names no class gets the one that is marked as the default. */

import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { unwrap } from '../respond.ts';
import { type AdmissionPlugin, type Attributes, creates } from './plugin.ts';

/** The classes that carry the mark, the newest first, and by name where they are of one age. */
async function marked({ context }: Attributes, store: ResourceId, annotation: string): Promise<KubeObject[]> {
  const page = unwrap(await context.around.store(context.info.cluster, store).list({ prefix: '' }));
  const classes = JSON.parse(`[${page.items}]`) as KubeObject[];
  return classes
    .filter(({ metadata }) => metadata.annotations?.[annotation] === 'true')
    .sort((a, b) => {
      const [older, newer] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
      if (older !== newer) return older < newer ? 1 : -1;
      return a.metadata.name < b.metadata.name ? -1 : 1;
    });
}

interface Claim extends KubeObject {
  spec?: { storageClassName?: string };
}

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  handles: creates('persistentvolumeclaims'),
  admit(attributes) {
    const claim = attributes.object as Claim;
    const inAnnotation = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
    // An empty name is a choice: no class.
    if (claim.spec?.storageClassName !== undefined || inAnnotation !== undefined) return;
    return marked(attributes, 'storage.k8s.io/storageclasses', 'storageclass.kubernetes.io/is-default-class').then(
      ([found]) => {
        if (found !== undefined) claim.spec = { ...claim.spec, storageClassName: found.metadata.name };
      },
    );
  },
};

interface Ingress extends KubeObject {
  spec?: { ingressClassName?: string };
}

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  handles: ({ resource, operation }) =>
    operation === 'CREATE' && resource.group === 'networking.k8s.io' && resource.resource === 'ingresses',
  admit(attributes) {
    const ingress = attributes.object as Ingress;
    const inAnnotation = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
    if (ingress.spec?.ingressClassName !== undefined || inAnnotation !== undefined) return;
    return marked(attributes, 'networking.k8s.io/ingressclasses', 'ingressclass.kubernetes.io/is-default-class').then(
      ([found]) => {
        if (found !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
      },
    );
  },
};
