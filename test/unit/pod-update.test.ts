/** What may change in pods that exist: by updates, resizes and ephemeral containers. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { Pod, PodSpec } from '../../src/generated/types/core.v1.ts';
import { defaultPod } from '../../src/resources/core/pod-spec/defaults.ts';
import { validateEphemeralContainersUpdate } from '../../src/resources/core/pod-spec/ephemeral-containers.ts';
import { keepAllButResources, validatePodResize } from '../../src/resources/core/pod-spec/resize.ts';
import { validatePodUpdate } from '../../src/resources/core/pod-spec/update.ts';

function podOf(spec: PodSpec = {}, more: Partial<Pod> = {}): Pod {
  const whole: PodSpec = { containers: [{ name: 'main', image: 'a' }], ...structuredClone(spec) };
  defaultPod(whole);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...more.metadata }, spec: whole, ...more } as Pod;
}

const term = (...values: string[]) => ({ matchExpressions: [{ key: 'disk', operator: 'In', values }] });
const affinity = (...terms: object[]) => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
});
const gated: PodSpec = { schedulingGates: [{ name: 'a' }] };

describe('an update of a pod', () => {
  const errors = (now: PodSpec, old: PodSpec) => validatePodUpdate(podOf(now), podOf(old)).map(toMessage);

  it.each<[string, PodSpec, PodSpec]>([
    ['another image', { containers: [{ name: 'main', image: 'b' }] }, {}],
    ['a first deadline', { activeDeadlineSeconds: 5 }, {}],
    ['fewer gates', {}, gated],
    ['a new toleration', { tolerations: [{ operator: 'Exists' }] }, {}],
    ['a grace of 1 where it was negative', { terminationGracePeriodSeconds: 1 }, { terminationGracePeriodSeconds: -1 }],
    [
      'a stricter node selector while gated',
      { ...gated, nodeSelector: { a: 'b', c: 'd' } },
      { ...gated, nodeSelector: { a: 'b' } },
    ],
    ['a first node affinity while gated', { ...gated, affinity: affinity(term('ssd')) }, gated],
    [
      'a stricter node affinity while gated',
      {
        ...gated,
        affinity: affinity({ matchExpressions: [...term('ssd').matchExpressions, { key: 'b', operator: 'Exists' }] }),
      },
      { ...gated, affinity: affinity(term('ssd')) },
    ],
  ])('may bring %s', (_, now, old) => {
    expect(errors(now, old)).toEqual([]);
  });

  it.each<[string, PodSpec, PodSpec, RegExp]>([
    ['a later deadline', { activeDeadlineSeconds: 6 }, { activeDeadlineSeconds: 5 }, /less than or equal to previous/],
    [
      'a new gate',
      { schedulingGates: [{ name: 'b' }] },
      {},
      /^spec.schedulingGates\[0\].name: .*new scheduling gate 'b'/,
    ],
    [
      'a node selector once scheduled',
      { nodeSelector: { a: 'b' } },
      {},
      /"NodeSelector": null,\n\+ "NodeSelector": \{\n\+ {2}"a": "b"/,
    ],
    [
      'another selector while gated',
      { ...gated, nodeSelector: {} },
      { ...gated, nodeSelector: { a: 'b' } },
      /^spec.nodeSelector: .*only additions to spec.nodeSelector/,
    ],
    [
      'wider affinity while gated',
      { ...gated, affinity: affinity(term('hdd')) },
      { ...gated, affinity: affinity(term('ssd')) },
      /nodeSelectorTerms\[0\]: .*only additions are allowed/,
    ],
    [
      'more terms while gated',
      { ...gated, affinity: affinity(term('a'), term('b')) },
      { ...gated, affinity: affinity(term('a')) },
      /nodeSelectorTerms: .*no additions\/deletions/,
    ],
    [
      'a container more',
      {
        containers: [
          { name: 'main', image: 'a' },
          { name: 'b', image: 'b' },
        ],
      },
      {},
      /may not add or remove containers/,
    ],
  ])('may not bring %s', (_, now, old, message) => {
    expect(errors(now, old)).toEqual([expect.stringMatching(message)]);
  });

  it('ends with what changed, escaped as Go does', () => {
    const [message] = errors(
      { hostname: 'b', containers: [{ name: 'main', image: 'a', args: ['<&>'] }] },
      { hostname: 'a' },
    );
    expect(message).toContain('\n-   "Args": null,\n+   "Args": [\n+    "\\u003c\\u0026\\u003e"\n+   ],\n');
    expect(message).toContain('\n- "Hostname": "a",\n+ "Hostname": "b",\n');
    expect(message?.endsWith('\n')).toBe(true);
  });

  it('leaves mirrors and AppArmor annotations alone', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/main';
    const mirror = 'kubernetes.io/config.mirror';
    const withThem = podOf(
      { nodeName: 'n' },
      { metadata: { name: 'p', annotations: { [key]: 'unconfined', [mirror]: 'x' } } },
    );
    expect(validatePodUpdate(withThem, podOf({ nodeName: 'n' })).map(({ body }) => body)).toEqual([
      'Forbidden: may not add AppArmor annotations',
      'Forbidden: may not add mirror pod annotation',
    ]);
    expect(validatePodUpdate(podOf({ nodeName: 'n' }), withThem).map(({ body }) => body)).toEqual([
      'Forbidden: may not remove or update AppArmor annotations',
      'Forbidden: may not remove or update mirror pod annotation',
    ]);
    expect(validatePodUpdate(withThem, withThem)).toEqual([]);
  });

  it('holds nobody to a cost that was wrong before', () => {
    const costing = (cost: string) =>
      podOf({}, { metadata: { name: 'p', annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } });
    expect(validatePodUpdate(costing('+2'), costing('+1'))).toEqual([]);
    // Upstream says it twice: once of the pod, once of the change.
    const error = 'Invalid value: "+2": must be a 32bit integer';
    expect(validatePodUpdate(costing('+2'), costing('1')).map(({ body }) => body)).toEqual([error, error]);
  });
});

describe('a resize', () => {
  const sized = (cpu: string, more: object = {}): PodSpec => ({
    containers: [{ name: 'main', image: 'a', resources: { requests: { cpu, memory: '1Mi' } }, ...more }],
  });
  const errors = (now: PodSpec, old: PodSpec, more: Partial<Pod> = {}) => {
    const was = podOf(old, more);
    const wanted = podOf(now, more);
    wanted.spec = keepAllButResources(wanted.spec ?? {}, was.spec ?? {});
    return validatePodResize(wanted, was).map(toMessage);
  };

  it('changes cpu and memory, and drops every other change', () => {
    expect(errors(sized('2'), sized('1'))).toEqual([]);
    expect(errors(sized('1', { image: 'b', args: ['x'] }), sized('1'))).toEqual([]);
    expect(keepAllButResources(sized('2', { image: 'b' }), sized('1')).containers).toMatchObject([
      { image: 'a', resources: { requests: { cpu: '2' } } },
    ]);
  });

  const init = (cpu: string, restartPolicy?: string): PodSpec => ({
    ...sized('1'),
    initContainers: [
      { name: 'i', image: 'a', resources: { requests: { cpu } }, ...(restartPolicy && { restartPolicy }) },
    ],
  });

  it.each<[string, PodSpec, PodSpec, string]>([
    [
      'take a request away',
      { containers: [{ name: 'main', image: 'a', resources: { requests: { cpu: '1' } } }] },
      sized('1'),
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
    ],
    [
      'change other resources',
      {
        containers: [
          { name: 'main', image: 'a', resources: { requests: { cpu: '1', memory: '1Mi', 'ephemeral-storage': '1' } } },
        ],
      },
      sized('1'),
      'spec: Forbidden: only cpu and memory resources are mutable',
    ],
    [
      'change the policy',
      sized('1', { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }),
      sized('1'),
      'spec: Forbidden: only cpu and memory resources are mutable',
    ],
    [
      'size an init container',
      init('2'),
      init('1'),
      'spec: Forbidden: resources for non-sidecar init containers are immutable',
    ],
  ])('may not %s', (_, now, old, message) => {
    expect(errors(now, old)).toEqual([message]);
  });

  it('may size a sidecar', () => {
    expect(errors(init('2', 'Always'), init('1', 'Always'))).toEqual([]);
  });

  it('keeps the class of service, and needs a node and a pod that can', () => {
    const guaranteed = sized('1', {
      resources: { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '1', memory: '1Mi' } },
    });
    expect(errors(guaranteed, sized('1'))).toEqual([
      'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
    ]);
    const running = { name: 'main', ready: true, restartCount: 0, image: 'a', imageID: '', state: { running: {} } };
    expect(errors(sized('2'), sized('1'), { status: { containerStatuses: [running] } })).toEqual([
      'spec: Forbidden: Pod running on node without support for resize',
    ]);
    const mirror = { metadata: { name: 'p', annotations: { 'kubernetes.io/config.mirror': 'x' } } };
    expect(errors(sized('2'), sized('1'), mirror)).toEqual([': Forbidden: static pods cannot be resized']);
  });
});

describe('ephemeral containers', () => {
  const look = { name: 'look', image: 'b' };
  const errors = (now: object[], old: object[]) =>
    validateEphemeralContainersUpdate(podOf({ ephemeralContainers: now }), podOf({ ephemeralContainers: old })).map(
      toMessage,
    );

  it('may only be added', () => {
    expect(errors([look, { name: 'more', image: 'c' }], [look])).toEqual([]);
    expect(errors([], [look])).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "look" may not be removed\n',
    ]);
    const [changed] = errors([{ ...look, tty: true }], [look]);
    expect(changed).toContain('existing ephemeral containers "look" may not be changed\n@@ -');
    expect(changed).toContain('\n- "TTY": false,\n+ "TTY": true,\n');
  });
});
