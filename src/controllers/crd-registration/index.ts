/** An APIService for each group-version that some CustomResourceDefinition serves. */

import type { Client } from '../../apimachinery/client.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { CustomResourceDefinition } from '../../generated/types/apiextensions.v1.ts';
import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import { type Controller, itself, type ObjectChange } from '../controller.ts';
import { deleteIfPresent } from '../objects.ts';

const API_SERVICES = 'apiregistration.k8s.io/apiservices';
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

/** Names of APIServices for the versions that a definition serves. */
export function servedVersions({ spec }: Partial<CustomResourceDefinition>): string[] {
  const served = (spec?.versions ?? []).filter((version) => version.served === true);
  return served.map(({ name }) => `${name}.${spec?.group}`);
}

/** Most changes of a definition are of its status, and concern no version. */
async function changedVersions(change: ObjectChange): Promise<string[]> {
  const before = servedVersions(change.previous ?? {});
  const now = change.type === 'DELETED' ? [] : servedVersions((await change.object()) ?? {});
  return [...before.filter((name) => !now.includes(name)), ...now.filter((name) => !before.includes(name))];
}

/** Upstream's `crdRegistrationController` with its `autoRegisterController`; a key is an APIService's name. */
export const crdRegistrationController: Controller = {
  name: 'crd-autoregister-controller',
  partOf: 'kube-apiserver',
  fieldManager: 'kube-apiserver',
  watches: [
    { resource: DEFINITIONS, keys: changedVersions },
    // Whoever changes or deletes one is corrected.
    { resource: API_SERVICES, keys: itself },
  ],
  async reconcile(client, { name }) {
    const existing = await client.get<APIService>(API_SERVICES, '', name);
    // Those of the server itself, and what somebody has made: theirs.
    if (existing !== undefined && existing.metadata.labels?.[AUTOMANAGED] !== 'true') return;
    const [version = '', group = ''] = splitName(name);
    if (!(await served(client)).has(name)) {
      if (existing !== undefined) await deleteIfPresent(client, API_SERVICES, existing);
      return;
    }
    // Definitions come late in the order of groups; versions of one priority are ordered by their names.
    const spec = { group, version, groupPriorityMinimum: 1000, versionPriority: 100 };
    if (existing === undefined) {
      const made: APIService = { metadata: { name, labels: { [AUTOMANAGED]: 'true' } }, spec };
      await client.create(API_SERVICES, made).catch(unlessThere);
    } else if (!isAsItShould(existing, spec)) await client.update(API_SERVICES, { ...existing, spec });
    return;
  },
};

/** Read without schemas where that is possible: they are large. */
async function served(client: Client): Promise<ReadonlySet<string>> {
  if (client.servedByDefinitions !== undefined) return client.servedByDefinitions();
  const { items } = await client.list<CustomResourceDefinition>(DEFINITIONS);
  return new Set(items.flatMap(servedVersions));
}

/** `v1.example.com`: the version, and the group after the first dot. */
function splitName(name: string): [string, string] {
  const dot = name.indexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}

function isAsItShould({ spec = {} }: APIService, wanted: NonNullable<APIService['spec']>): boolean {
  const { group, version, groupPriorityMinimum, versionPriority, service, caBundle } = spec;
  return (
    group === wanted.group &&
    version === wanted.version &&
    groupPriorityMinimum === wanted.groupPriorityMinimum &&
    versionPriority === wanted.versionPriority &&
    service === undefined &&
    caBundle === undefined
  );
}

/** Somebody else was quicker; then it is theirs. */
function unlessThere(error: unknown): void {
  if (!isReason(error, 'AlreadyExists')) throw error;
}
