/** What a pod that says something of its resources as a whole leaves out. */
import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../src/generated/types/core.v1.ts';
import { defaultPodLevelResources } from '../../src/resources/core/pod-spec/pod-level-defaults.ts';

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
});
