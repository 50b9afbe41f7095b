/** What a request may not change, and so never owns: the strategies' `GetResetFields` upstream. */

import { qualified } from '../../apimachinery/errors.ts';
import { EMPTY, type FieldSet, setOf } from '../../apimachinery/fieldmanager/index.ts';
import type { Resource } from '../../resources/resource.ts';

const fields = (text: string): FieldSet =>
  setOf(...text.split(' ').map((path) => path.split('.').map((name) => `f:${name}`)));

const SPEC = fields('spec');
const STATUS = fields('status');

/** Where it is more than the spec for `status` and the status for the rest. */
const OTHERS: Record<string, FieldSet> = {
  'apiservices.apiregistration.k8s.io/status': fields('spec metadata'),
  'deployments.apps/status': fields('spec metadata.labels'),
  'flowschemas.flowcontrol.apiserver.k8s.io/status': fields('metadata spec'),
  'pods/status': fields('spec metadata.deletionTimestamp metadata.ownerReferences'),
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io/status': fields('metadata spec'),
  'validatingadmissionpolicies.admissionregistration.k8s.io/status': fields('metadata spec'),
  'volumeattachments.storage.k8s.io/status': fields('metadata spec'),
};

/** The fields that stay as they are whatever the request says; `subresource` is empty for the object itself. */
export function resetFields(resource: Resource, subresource: string): FieldSet {
  const special = OTHERS[`${qualified(resource)}/${subresource}`];
  if (special !== undefined) return special;
  if (subresource === 'status') return SPEC;
  return resource.subresources?.some(({ name }) => name === 'status') ? STATUS : EMPTY;
}
