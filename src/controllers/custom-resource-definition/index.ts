/** CustomResourceDefinitions are given their names and established; those that go take their objects along. */
import type { Client } from '../../apimachinery/client.ts';
import { withCondition } from '../../apimachinery/conditions.ts';
import type { CustomResourceDefinition } from '../../generated/types/apiextensions.v1.ts';
import { CLEANUP_FINALIZER } from '../../resources/apiextensions/index.ts';
import { type Controller, type ControllerContext, itself, type Requeue } from '../controller.ts';
import { deleteIfPresent, forEachLimited, patchStatus } from '../objects.ts';
import { takenBy, withNames } from './names.ts';

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
const PARALLEL = 16;
/** Objects with finalizers go when their owners let them. */
const RETRY_MS = 5000;

/** Upstream's naming, establishing and finalizing controllers in one; a key is a definition's name. */
export const customResourceDefinitionController: Controller = {
  name: 'customresourcedefinition-controller',
  partOf: 'kube-apiserver',
  fieldManager: 'kube-apiserver',
  watches: [
    {
      resource: DEFINITIONS,
      // Names that one gives up another may have been waiting for.
      async keys(change, client) {
        if (change.type !== 'DELETED') return itself(change);
        const { group } = ofName(change.name);
        return [change.name, ...(await inGroup(client, group)).map(({ metadata }) => metadata.name)];
      },
    },
  ],
  async reconcile(client, { name }, context) {
    const definition = await client.get<CustomResourceDefinition>(DEFINITIONS, '', name);
    if (definition === undefined) {
      const { plural, group } = ofName(name);
      await client.endWatches?.(`${group}/${plural}`);
      return;
    }
    if (definition.metadata.deletionTimestamp !== undefined) return finalize(client, definition, context);
    const others = (await inGroup(client, definition.spec?.group ?? '')).filter((o) => o.metadata.name !== name);
    await patchStatus(client, DEFINITIONS, definition, withNames(definition, takenBy(others), context.now()));
    return;
  },
};

/** A definition is named after what it defines. */
function ofName(name: string): { plural: string; group: string } {
  const [plural = '', ...group] = name.split('.');
  return { plural, group: group.join('.') };
}

async function inGroup(client: Client, group: string): Promise<CustomResourceDefinition[]> {
  const { items } = await client.list<CustomResourceDefinition>(DEFINITIONS);
  return items.filter(({ spec }) => spec?.group === group);
}

/** Deletes all objects of the definition, and lets it go when none is left. */
async function finalize(
  client: Client,
  definition: CustomResourceDefinition,
  context: ControllerContext,
): Promise<Requeue | undefined> {
  const { metadata, spec = {}, status = {} } = definition;
  if (!metadata.finalizers?.includes(CLEANUP_FINALIZER)) return undefined;
  const store = `${spec.group}/${status.acceptedNames?.plural || spec.names?.plural}`;
  const terminating = async (value: string, reason: string, message: string): Promise<void> => {
    const condition = { type: 'Terminating', status: value, reason, message };
    const conditions = withCondition(status.conditions, condition, context.now());
    await patchStatus(client, DEFINITIONS, definition, { ...status, conditions });
  };
  if (wasEstablished(definition)) {
    const { items } = await client.list(store);
    if (items.length > 0) {
      await terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
      const doomed = items.filter((object) => object.metadata.deletionTimestamp === undefined);
      await forEachLimited(doomed, PARALLEL, async (object) => {
        await deleteIfPresent(client, store, object);
      });
      const left = await client.list(store);
      if (left.items.length > 0) return { requeueAfterMs: RETRY_MS };
    }
  }
  const finalizers = metadata.finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
  await client.patch(DEFINITIONS, '', metadata.name, 'merge', { metadata: { finalizers, uid: metadata.uid ?? '' } });
  return undefined;
}

const wasEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') ?? false;
