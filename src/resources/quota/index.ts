/** All that quotas know to measure: pods, services and claims by what they use, everything else by number. */
import type { Service } from '../../generated/types/core.v1.ts';
import { deviceClaimEvaluator, volumeClaimEvaluator } from './claims.ts';
import type { Evaluator } from './evaluator.ts';
import { podEvaluator } from './pods.ts';

const SERVICES = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers']);

/** Upstream's `serviceEvaluator`. Node ports are counted before they are given out, by who will want some. */
const serviceEvaluator: Evaluator = {
  group: '',
  resource: 'services',
  updates: [''],
  matches: (name) => SERVICES.has(name),
  measure(object) {
    const { type, ports = [], allocateLoadBalancerNodePorts } = (object as Service).spec ?? {};
    const balanced = type === 'LoadBalancer';
    const named = ports.filter(({ nodePort = 0 }) => nodePort !== 0).length;
    const wanted = balanced && allocateLoadBalancerNodePorts === false ? named : ports.length;
    const usage = {
      'count/services': '1',
      services: '1',
      'services.loadbalancers': balanced ? '1' : '0',
      'services.nodeports': balanced || type === 'NodePort' ? String(wanted) : '0',
    };
    return { usage, scopes: [], scopeValues: {} };
  },
};

/** Those with more to them than their number. */
const evaluators: readonly Evaluator[] = [podEvaluator, serviceEvaluator, volumeClaimEvaluator, deviceClaimEvaluator];

/** Counted by their plain name too, since before there was `count/`. */
const ALIASED = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);

/** `count/deployments.apps` (`ObjectCountQuotaResourceNameFor`). */
function countName(group: string, resource: string): string {
  return group === '' ? `count/${resource}` : `count/${resource}.${group}`;
}

/** Objects by their number (`objectCountEvaluator`). */
function objectCount(group: string, resource: string): Evaluator {
  const names = [countName(group, resource), ...(group === '' && ALIASED.has(resource) ? [resource] : [])];
  const measured = { usage: Object.fromEntries(names.map((name) => [name, '1'])), scopes: [], scopeValues: {} };
  return { group, resource, updates: [], matches: (name) => names.includes(name), measure: () => measured };
}

/** How quotas measure the objects of a resource. */
export function evaluatorFor({ group, resource }: { group: string; resource: string }): Evaluator {
  return evaluators.find((one) => one.group === group && one.resource === resource) ?? objectCount(group, resource);
}
