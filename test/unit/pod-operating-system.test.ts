/** What a pod can be told on its operating system. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { PodSpec } from '../../src/generated/types/core.v1.ts';
import { operatingSystem } from '../../src/resources/core/pod-spec/operating-system.ts';
import { check } from '../../src/resources/validation/rules.ts';

const running = (securityContext: object, more: object = {}): PodSpec =>
  ({ containers: [{ name: 'c', securityContext }], ...more }) as PodSpec;
const HOST = { windowsOptions: { hostProcess: true } };

describe('the operating system of a pod', () => {
  const cases: [spec: PodSpec, said: string[]][] = [
    [running({}, { os: { name: 'linux' } }), []],
    [running({}, { os: {} }), ['spec.os.name: Required value']],
    [running({}, { os: { name: 'x' } }), ['spec.os: Unsupported value: "x": supported values: "linux", "windows"']],
    [
      running({ privileged: false }, { os: { name: 'windows' }, hostPID: true, securityContext: { fsGroup: 1 } }),
      ['hostPID', 'securityContext.fsGroup', 'containers[0].securityContext.privileged'].map(
        (field) => `spec.${field}: Forbidden: cannot be set for a windows pod`,
      ),
    ],
    [
      running({ windowsOptions: {} }, { os: { name: 'linux' } }),
      ['spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod'],
    ],
    [running(HOST, { hostNetwork: true }), []],
    [
      running(HOST, { initContainers: [{ name: 'i' }] }),
      [
        'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
        'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
      ],
    ],
    [running({ procMount: 'Unmasked' }, { hostUsers: false }), []],
    [
      running({ procMount: 'Unmasked' }),
      [
        'spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
      ],
    ],
    [
      running({}, { hostIPC: true, securityContext: { sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.a' }] } }),
      [
        `spec.securityContext.sysctls[0].name: Invalid value: "kernel.msgmax": may not be specified when 'hostIPC' is true`,
      ],
    ],
  ];
  it.each(cases)('%j', (spec, said) => {
    expect(check(operatingSystem, spec, 'spec').map(toMessage)).toEqual(said);
  });
});
