import { ADD, DELETE, UPDATE_NODE_ALLOCATABLE, UPDATE_POD_SCALE_DOWN } from '../framework/cluster-event.ts';
import type { NodeFacts, NodeInfo } from '../framework/node-info.ts';
import { usage } from '../framework/node-score.ts';
import type { PluginFactory } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import type { Status } from '../framework/status.ts';
import { type ScoringStrategy, scorerOf } from './resource-scoring.ts';

const NAME = 'NodeResourcesFit';

interface Args {
  ignoredResources?: readonly string[];
  ignoredResourceGroups?: readonly string[];
  scoringStrategy?: ScoringStrategy;
}

/** NodeResourcesFit: what a pod asks for must be free; by default the emptier node is the better one. */
export const nodeResourcesFit: PluginFactory = (_, args) => {
  const { ignoredResources = [], ignoredResourceGroups = [], scoringStrategy } = args as Args;
  const { resources, score, plain } = scorerOf(scoringStrategy);
  const ignores = (name: string): boolean => {
    const slash = name.indexOf('/');
    if (slash < 0) return false;
    return ignoredResources.includes(name) || ignoredResourceGroups.includes(name.slice(0, slash));
  };
  const ignoring = ignoredResources.length > 0 || ignoredResourceGroups.length > 0;
  return {
    name: NAME,
    events: [
      { kind: 'pod', actions: DELETE },
      {
        kind: 'pod',
        actions: UPDATE_POD_SCALE_DOWN,
        hint: ({ info }, before, after) => scalesDown(info, before, after),
      },
      { kind: 'pending', actions: UPDATE_POD_SCALE_DOWN },
      {
        kind: 'node',
        actions: ADD | UPDATE_NODE_ALLOCATABLE,
        hint: ({ info }, before, after) =>
          after !== undefined && couldFit(info, after) && hasGrown(info, before, after),
      },
    ],
    filter(_, { info }, node) {
      if (fits(info, node)) return undefined;
      return shortage(info, node, ignoring ? ignores : undefined);
    },
    score(_, { info }, node) {
      let sum = 0;
      let weights = 0;
      for (const { name, weight } of resources) {
        const used = usage(info, node, name, plain);
        if (used === undefined) continue;
        const points = score(used[0], used[1]);
        const counts = weight || 1;
        sum += points * counts;
        weights += counts;
      }
      return weights === 0 ? 0 : Math.floor(sum / weights);
    },
  };
};

/** The common case, without making anything. */
function fits({ ask }: PodInfo, { facts, pods, requested }: NodeInfo): boolean {
  if (pods.size + 1 > facts.maxPods) return false;
  for (const [name, wanted] of ask.list) {
    if (wanted > (facts.allocatable[name] ?? 0) - (requested[name] ?? 0)) return false;
  }
  return true;
}

/** More than the whole node has is never free, whoever leaves. */
function shortage(
  { ask }: PodInfo,
  { facts, pods, requested }: NodeInfo,
  ignores: ((name: string) => boolean) | undefined,
): Status | undefined {
  const reasons: string[] = [];
  let code: Status['code'] = 'Unschedulable';
  if (pods.size + 1 > facts.maxPods) reasons.push('Too many pods');
  for (const [name, wanted] of ask.list) {
    if (ignores?.(name)) continue;
    const allocatable = facts.allocatable[name] ?? 0;
    if (wanted <= allocatable - (requested[name] ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    if (wanted > allocatable) code = 'UnschedulableAndUnresolvable';
  }
  return reasons.length === 0 ? undefined : { code, reasons, plugin: NAME };
}

const couldFit = ({ ask }: PodInfo, node: NodeFacts): boolean =>
  node.maxPods > 0 && ask.list.every(([name, wanted]) => wanted <= (node.allocatable[name] ?? 0));

/** A node that is new has grown. */
function hasGrown({ ask }: PodInfo, before: NodeFacts | undefined, after: NodeFacts): boolean {
  if (before === undefined || after.maxPods > before.maxPods) return true;
  return ask.list.some(([name]) => (after.allocatable[name] ?? 0) > (before.allocatable[name] ?? 0));
}

/** Whether another pod gives back something that this one wants. */
function scalesDown({ ask }: PodInfo, before: PodInfo | undefined, after: PodInfo | undefined): boolean {
  return ask.list.some(([name]) => (after?.ask.requests[name] ?? 0) < (before?.ask.requests[name] ?? 0));
}
