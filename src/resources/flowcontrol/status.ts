/** How the statuses of flow control are changed. */
import { duplicate, type FieldError, required } from '../../apimachinery/field.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../generated/types/flowcontrol.v1.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, STATUS_KEEPS } from '../strategies.ts';

/** Each condition has a type, and none the type of another. */
export const flowControlStatus: SubresourceStrategy<FlowSchema | PriorityLevelConfiguration> = {
  ...keepAllButStatus<FlowSchema | PriorityLevelConfiguration>(...STATUS_KEEPS),
  validateUpdate({ status = {} }) {
    const types = status.conditions?.map(({ type = '' }) => type) ?? [];
    return types.flatMap((type, index): FieldError[] => {
      const at = `status.conditions[${index}].type`;
      const errors = types.indexOf(type) < index ? [duplicate(at, type)] : [];
      return type === '' ? [...errors, required(at)] : errors;
    });
  },
};
