/** Whether the priority level that a FlowSchema names exists. */

import { withCondition } from '../../apimachinery/conditions.ts';
import { deepEqual } from '../../apimachinery/equal.ts';
import type { Json } from '../../apimachinery/meta.ts';
import type { FlowSchema } from '../../generated/types/flowcontrol.v1.ts';
import { type Controller, itself } from '../controller.ts';

const SCHEMAS = 'flowcontrol.apiserver.k8s.io/flowschemas';
const LEVELS = 'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations';

/** The condition `Dangling` of upstream's `APF` configuration controller; a key is a FlowSchema's name. */
export const flowSchemaController: Controller = {
  name: 'api-priority-and-fairness-config-consumer-v1',
  partOf: 'kube-apiserver',
  fieldManager: 'api-priority-and-fairness-config-consumer-v1',
  watches: [
    { resource: SCHEMAS, keys: itself },
    {
      resource: LEVELS,
      async keys({ name, type }, client) {
        // That a level was changed says nothing new: it is there still.
        if (type === 'MODIFIED') return [];
        const { items } = await client.list<FlowSchema>(SCHEMAS);
        return items.filter(({ spec }) => spec?.priorityLevelConfiguration?.name === name).map((s) => s.metadata.name);
      },
    },
  ],
  async reconcile(client, { name }, context) {
    const schema = await client.get<FlowSchema>(SCHEMAS, '', name);
    if (schema === undefined || schema.metadata.deletionTimestamp !== undefined) return;
    const level = schema.spec?.priorityLevelConfiguration?.name ?? '';
    const exists = (await client.get(LEVELS, '', level)) !== undefined;
    const subject = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
    const condition = {
      type: 'Dangling',
      status: exists ? 'False' : 'True',
      reason: exists ? 'Found' : 'NotFound',
      message: exists ? `${subject} and it exists` : `${subject} but there is no such object`,
    };
    const before = schema.status?.conditions;
    const conditions = withCondition(before, condition, context.now());
    if (deepEqual(conditions, before)) return;
    // Applied, as upstream does: the condition is the server's, whatever else is there.
    const applied = conditions.filter(({ type }) => type === condition.type);
    const kind = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema' };
    const patch = { ...kind, metadata: { name }, status: { conditions: applied } };
    await client.patch(SCHEMAS, '', name, 'apply', patch as unknown as Json, 'status');
    return;
  },
};
