/** The policies of PodSecurity, as they were in each version. */
import { describe, expect, it } from 'vitest';
import { violation } from '../../src/api/admission/pod-security/evaluate.ts';
import type { PodSpec } from '../../src/api/admission/pod-security/pod.ts';
import { isSignificantUpdate } from '../../src/api/admission/pod-security/update.ts';
import type { Pod } from '../../src/generated/types/core.v1.ts';

const SAFE = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};
const running = (securityContext: object, more: object = {}): PodSpec =>
  ({ containers: [{ name: 'c', image: 'i', securityContext }], ...more }) as PodSpec;

type Case = [level: string, spec: PodSpec, said: string | undefined, annotations?: Record<string, string>];

const judge = (level: string, spec: PodSpec, annotations?: Record<string, string>): string | undefined => {
  const [name, version] = level.split(':') as ['baseline' | 'restricted', string];
  return violation({ level: name, version }, spec, { annotations: annotations ?? {} })?.replace(/^[^:]*:[^:]*: /, '');
};

describe('PodSecurity', () => {
  const probed = running(SAFE);
  probed.containers = [
    { ...probed.containers?.[0], livenessProbe: { httpGet: { host: '127.0.0.1', port: 1 } } },
  ] as never;
  const probe = 'probe or lifecycle host (container "c" uses probe or lifecycle host "127.0.0.1")';
  const engine = running({ ...SAFE, seLinuxOptions: { type: 'container_engine_t' } });
  const rmem = running(SAFE, { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } });
  const root = running({ ...SAFE, runAsUser: 0 }, { hostUsers: false });
  const windows = running({ runAsNonRoot: true }, { os: { name: 'windows' } });
  const cases: Case[] = [
    ['restricted:latest', running(SAFE), undefined],
    ['baseline:v1.33', probed, undefined],
    ['baseline:v1.34', probed, probe],
    ['restricted:v1.99', probed, probe],
    ['baseline:v1.31', engine, undefined],
    [
      'baseline:v1.30',
      engine,
      'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
    ],
    ['baseline:v1.32', rmem, undefined],
    ['baseline:v1.29', rmem, 'forbidden sysctls (net.ipv4.tcp_rmem)'],
    ['restricted:v1.35', root, undefined],
    ['restricted:v1.34', root, 'runAsUser=0 (container "c" must not set runAsUser=0)'],
    ['restricted:v1.22', root, undefined],
    ['restricted:v1.25', windows, undefined],
    ['restricted:v1.7', running({ runAsNonRoot: true }), undefined],
    [
      'restricted:v1.8',
      running({ runAsNonRoot: true }),
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
    ],
    [
      'baseline:v1.18',
      running(SAFE),
      'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
      { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
    ],
    ['baseline:v1.19', running(SAFE), undefined, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }],
    [
      'restricted:latest',
      running(
        { ...SAFE, seccompProfile: { type: 'Unconfined' } },
        { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      ),
      'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'restricted:latest',
      running(SAFE, { securityContext: { runAsNonRoot: false } }),
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
    ],
    [
      'baseline:latest',
      running({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profiles (container "c" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/c=\\"x\\"")',
      { 'container.apparmor.security.beta.kubernetes.io/c': 'x' },
    ],
  ];
  it.each(cases)('%s of %j', (level, spec, said, annotations) => {
    expect(judge(level, spec, annotations)).toBe(said);
  });

  it('looks at a pod again when what runs in it changes, not when its annotations do', () => {
    const pod = { metadata: { name: 'p' }, spec: running(SAFE) } as Pod;
    const annotated = {
      ...pod,
      metadata: { ...pod.metadata, annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } },
    };
    const other = { ...pod, spec: { containers: [{ name: 'c', image: 'j' }] } } as Pod;
    expect([annotated, other].map((next) => isSignificantUpdate(next, pod))).toEqual([false, true]);
  });
});
