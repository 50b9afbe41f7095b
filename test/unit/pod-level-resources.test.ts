/** What a pod that says something of its resources as a whole leaves out. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { PodSpec } from '../../src/generated/types/core.v1.ts';
import { defaultPodLevelResources } from '../../src/resources/core/pod-spec/pod-level-defaults.ts';
import { podLevelResources } from '../../src/resources/core/pod-spec/pod-level-resources.ts';
import { check } from '../../src/resources/validation/rules.ts';

type Resources = { limits?: object; requests?: object };

describe('resources of a pod as a whole', () => {
  const cases: [own: Resources | undefined, containers: Resources[], expected: Resources | undefined][] = [
    [undefined, [{ requests: { cpu: '1' } }], undefined],
    [{ requests: { cpu: '1' } }, [{ requests: { memory: '1Gi' } }], { requests: { cpu: '1' } }],
    [
      { requests: { cpu: '1' }, limits: { cpu: '3', memory: '1Gi' } },
      [{}],
      { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '3', memory: '1Gi' } },
    ],
    [{ limits: { cpu: '1' } }, [{}, { requests: { cpu: '10m' } }], { requests: { cpu: '10m' }, limits: { cpu: '1' } }],
    [
      { requests: { cpu: '1' } },
      [{ limits: { 'hugepages-2Mi': '4Mi' } }],
      { requests: { cpu: '1', 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } },
    ],
    [
      { limits: { cpu: '1' } },
      [{ requests: { 'example.com/gpu': '1' } }],
      { requests: { cpu: '1' }, limits: { cpu: '1' } },
    ],
  ];
  it.each(cases)('%j with %j', (own, containers, expected) => {
    const spec = { resources: own, containers: containers.map((resources) => ({ resources })) } as unknown as PodSpec;
    defaultPodLevelResources(spec);
    expect(spec.resources).toEqual(expected);
  });

  const refused: [own: object, containers: Resources[], said: string[], more?: object][] = [
    [{ requests: { cpu: '1' }, limits: { cpu: '2' } }, [{ requests: { cpu: '1' }, limits: { cpu: '2' } }], []],
    [
      { requests: { cpu: '1' } },
      [{ requests: { cpu: '600m' } }, { requests: { cpu: '600m' } }],
      [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 1200m',
      ],
    ],
    [
      { limits: { cpu: '1' } },
      [{ limits: { cpu: '2' } }],
      ['spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1'],
    ],
    [
      { requests: { 'ephemeral-storage': '1' } },
      [],
      [
        'spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
      ],
    ],
    [
      { requests: { cpu: '2' }, limits: { cpu: '1' } },
      [],
      ['spec.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      { claims: [{ name: 'c' }] },
      [],
      ['spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level'],
    ],
    [
      { requests: { cpu: '1' } },
      [],
      ['spec.resources: Forbidden: may not be set for a windows pod'],
      { os: { name: 'windows' } },
    ],
  ];
  it.each(refused)('%j around %j', (own, containers, said, more) => {
    const spec = {
      ...more,
      resources: own,
      containers: containers.map((resources) => ({ resources })),
    } as unknown as PodSpec;
    expect(check(podLevelResources, spec, 'spec').map(toMessage)).toEqual(said);
  });
});
