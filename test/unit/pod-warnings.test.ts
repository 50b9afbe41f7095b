import { expect, it } from 'vitest';
import type { Pod, PodSpec } from '../../src/generated/types/core.v1.ts';
import { settleAppArmor } from '../../src/resources/core/pod-spec/app-armor.ts';
import { podTemplateWarnings, podWarnings } from '../../src/resources/core/pod-spec/warnings.ts';
import { cidrWarnings, ipWarnings } from '../../src/resources/validation/network-warnings.ts';

const container = { name: 'c', image: 'i' };
const container2 = { name: 'd', image: 'i' };
const spec = (more: Partial<PodSpec>): PodSpec => structuredClone({ containers: [container], ...more }) as PodSpec;

it.each<[Partial<PodSpec>, string[]]>([
  [{}, []],
  [{ hostAliases: [{ ip: '127.0.0.9' }, { ip: '127.0.0.9' }] }, ['spec.hostAliases[1].ip: duplicate ip "127.0.0.9"']],
  [
    { imagePullSecrets: [{ name: '' }, { name: '' }] },
    [
      'spec.imagePullSecrets[0].name: invalid empty name ""',
      'spec.imagePullSecrets[1].name: duplicate name ""',
      'spec.imagePullSecrets[1].name: invalid empty name ""',
    ],
  ],
  [
    { containers: [{ ...container, resources: { limits: { memory: '1500m', cpu: '1500m' } } }] },
    ['spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer'],
  ],
  [
    { containers: [{ ...container, env: [{ name: 'A', value: 'x' }, { name: 'A', value: '$(A)y' }, { name: 'A' }] }] },
    ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    {
      containers: [{ ...container, ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP', hostIP: '10.0.0.1' }] }],
    },
    [
      'spec.containers[0].ports[0]: hostIP set without hostPort: {Name:dns HostPort:0 ContainerPort:53 Protocol:UDP HostIP:10.0.0.1}',
    ],
  ],
  [
    {
      containers: [
        { ...container, ports: [{ name: 'a', containerPort: 1, protocol: 'TCP' }] },
        { ...container2, ports: [{ name: 'a', containerPort: 2, protocol: 'TCP' }] },
      ],
    },
    [
      'spec.containers[1].ports[0]: duplicate port name "a" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  ],
  [
    {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'k' } }],
        },
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [{ key: 'k', operator: 'In', values: ['a'.repeat(64)] }] } },
          ],
        },
      },
    },
    [
      `spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[0]: ${'a'.repeat(64)} is invalid, must be no more than 63 bytes`,
      'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
    ],
  ],
  [
    {
      volumes: [
        {
          name: 'v',
          projected: {
            sources: [
              { secret: { name: 's', items: [{ key: 'k', path: 'a/b' }] } },
              { serviceAccountToken: { path: 'a' } },
              {},
            ],
          },
        },
      ],
    },
    [
      'volume "v" (Projected) has no sources provided',
      'volume "v" (Projected): overlapping paths: "a" (ServiceAccountToken) with "a/b" (Secret "s")',
    ],
  ],
])('of a pod %#', (more, expected) => {
  expect(podWarnings({ metadata: { name: 'p' }, spec: spec(more) })).toEqual(expected);
});

it('of the name of a new pod alone', () => {
  const pod: Pod = { metadata: { name: 'a.b' }, spec: spec({}) };
  expect(podWarnings(pod)).toEqual([
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ]);
  expect(podWarnings(pod, pod)).toEqual([]);
});

it('makes a field of an AppArmor annotation, and says so', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/c';
  const told = `metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`;
  const annotations = { [key]: 'localhost/p' };
  const pod: Pod = { metadata: { name: 'p', annotations }, spec: spec({}) };
  expect(podTemplateWarnings(pod, 'template')).toEqual([`template.${told}`]);
  settleAppArmor(pod);
  expect(pod.spec?.containers?.[0]?.securityContext).toEqual({
    appArmorProfile: { type: 'Localhost', localhostProfile: 'p' },
  });
  expect(podWarnings(pod)).toEqual([told]);
  const common: Pod = {
    metadata: { name: 'p', annotations: { [key]: 'unconfined' } },
    spec: spec({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
  };
  settleAppArmor(common);
  expect(common.spec?.containers?.[0]?.securityContext).toBeUndefined();
  expect(podWarnings(common)).toEqual([]);
});

it.each([
  ['1.2.3.4', []],
  ['no address', []],
  ['01.2.3.4', ['f: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"']],
  ['::ffff:1.2.3.4', ['f: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"']],
  ['FD00::0001', ['f: IPv6 address "FD00::0001" should be in RFC 5952 canonical format ("fd00::1")']],
])('of the address %s', (text, expected) => expect(ipWarnings(text, 'f')).toEqual(expected));

it('of a network', () => {
  expect(cidrWarnings('fd00::/8', 'f')).toEqual([]);
  expect(cidrWarnings('FD00:0::/8', 'f')).toEqual([
    'f: IPv6 CIDR value "FD00:0::/8" should be in RFC 5952 canonical format ("fd00::/8")',
  ]);
});
