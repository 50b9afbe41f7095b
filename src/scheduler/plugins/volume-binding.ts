import { deepEqual } from '../../apimachinery/equal.ts';
import type { CSIStorageCapacity, StorageClass } from '../../generated/types/storage.v1.ts';
import { ADD, UPDATE, UPDATE_NODE_LABEL } from '../framework/cluster-event.ts';
import { StateKey } from '../framework/cycle-state.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import { failed, type Status, unresolvable, WAIT } from '../framework/status.ts';
import { AssumedVolumes, type Choice } from './volume-assumed.ts';
import { type ClaimsOfPod, choose, limitOf, sortClaims } from './volume-choice.ts';
import { CLAIMS, CLASSES, CSI_CAPACITIES, CSI_DRIVERS, isOwnClaim, usesClaims, VOLUMES } from './volume-claims.ts';
import { awaitBound, writeChoice } from './volume-writes.ts';

const NAME = 'VolumeBinding';

interface State {
  readonly claims: ClaimsOfPod;
  /** What was chosen for each node that passed. */
  readonly choices: Map<string, Choice>;
}
const STATE = new StateKey<State>(NAME);

/** VolumeBinding: a pod goes where its volumes can be reached, and volumes that wait for a pod are chosen or made for its node. */
export const volumeBinding: PluginFactory = (handle) => {
  const { objects } = handle;
  const assumed = new AssumedVolumes(objects);
  return {
    name: NAME,
    events: [
      {
        kind: 'object',
        resource: CLASSES,
        actions: ADD | UPDATE,
        hint: (_, before, after) =>
          before === undefined ||
          !deepEqual(
            (before as StorageClass).allowedTopologies,
            (after as StorageClass | undefined)?.allowedTopologies,
          ),
      },
      { kind: 'object', resource: CLAIMS, actions: ADD | UPDATE, hint: isOwnClaim },
      { kind: 'object', resource: VOLUMES, actions: ADD | UPDATE },
      { kind: 'node', actions: ADD | UPDATE_NODE_LABEL },
      { kind: 'object', resource: CSI_DRIVERS, actions: UPDATE },
      {
        kind: 'object',
        resource: CSI_CAPACITIES,
        actions: ADD | UPDATE,
        hint: (_, before, after) =>
          before === undefined || limitOf(after as CSIStorageCapacity) > limitOf(before as CSIStorageCapacity),
      },
    ],
    needs: (pod) => (usesClaims(pod) ? [CLAIMS, VOLUMES, CLASSES, CSI_DRIVERS, CSI_CAPACITIES] : []),
    preFilter(state, { pod }) {
      if (!usesClaims(pod)) return 'skip';
      const claims = sortClaims(pod, objects, assumed);
      if (typeof claims === 'string') return unresolvable(claims);
      state.write(STATE, { claims, choices: new Map() });
      return undefined;
    },
    filter(state, _, node: NodeInfo): Status | undefined {
      const data = state.read(STATE);
      if (data === undefined) return undefined;
      const choice = choose(data.claims, node.facts, objects, assumed);
      if ('reasons' in choice) return { ...unresolvable(...choice.reasons), plugin: NAME };
      data.choices.set(node.name, choice);
      return undefined;
    },
    reserve(state, _, node) {
      const choice = state.read(STATE)?.choices.get(node);
      if (choice !== undefined) assumed.assume(choice, node);
      return undefined;
    },
    unreserve(state, _, node) {
      const choice = state.read(STATE)?.choices.get(node);
      if (choice !== undefined) assumed.forget(choice);
    },
    async preBind(state, _, node) {
      const choice = state.read(STATE)?.choices.get(node);
      if (choice === undefined || choice.bind.length + choice.provision.length === 0) return undefined;
      try {
        if (await writeChoice(handle.client, choice, node)) return WAIT;
        const facts = handle.snapshot.node(node)?.facts;
        return awaitBound(choice, node, facts, objects) ? undefined : WAIT;
      } catch (error) {
        return failed(error);
      }
    },
  };
};
