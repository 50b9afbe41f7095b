import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { KubeObject } from '../../src/apimachinery/meta.ts';
import { resources } from '../../src/resources/index.ts';
import { conditions } from '../../src/resources/validation/conditions.ts';
import { check } from '../../src/resources/validation/rules.ts';

const strategyOf = (kind: string) => {
  const found = resources.find((resource) => resource.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
};

/** What is wrong with a new object. */
function problems(kind: string, body: object): string[] {
  const { strategy } = strategyOf(kind);
  const object = { apiVersion: 'v1', kind, metadata: { name: 'x' }, ...body } as KubeObject;
  strategy.default?.(object);
  return (strategy.validate?.(object) ?? []).map(toMessage);
}

/** What is wrong with a status. */
function statusProblems(kind: string, status: object): string[] {
  const { subresources = [] } = strategyOf(kind);
  const object = { apiVersion: 'v1', kind, metadata: { name: 'x' }, spec: {}, status } as KubeObject;
  const old = { ...object, status: {} } as KubeObject;
  const strategy = subresources.find(({ name }) => name === 'status')?.strategy;
  return (strategy?.validateUpdate?.(object, old) ?? []).map(toMessage);
}

const DEVICE = { name: 'a' };
const slice = (device: object, spec: object = {}) => ({
  spec: {
    driver: 'd.example.com',
    pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
    allNodes: true,
    devices: [{ ...DEVICE, ...device }],
    ...spec,
  },
});

describe('what objects of the groups may say', () => {
  const cases: [kind: string, body: object, messages: string[]][] = [
    [
      'NetworkPolicy',
      { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }] }] } },
      ['spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer'],
    ],
    [
      'NetworkPolicy',
      { spec: { podSelector: {}, ingress: [{ ports: [{ endPort: 5 }] }] } },
      ['spec.ingress[0].ports[0].endPort: Invalid value: 5: may not be specified when `port` is not specified'],
    ],
    [
      'NetworkPolicy',
      { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { except: ['x'] } }] }] } },
      ['spec.ingress[0].from[0].ipBlock.cidr: Required value'],
    ],
    ['PriorityClass', { preemptionPolicy: '' }, ['preemptionPolicy: Required value']],
    [
      'Role',
      { rules: [{ verbs: ['get'], apiGroups: [''], nonResourceURLs: ['/x'] }] },
      [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
    ],
    [
      'CSIDriver',
      { spec: { serviceAccountTokenInSecrets: true } },
      [
        'spec.serviceAccountTokenInSecrets: Invalid value: true: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
      ],
    ],
    [
      'DeviceClass',
      { spec: { extendedResourceName: 'cpu' } },
      ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name'],
    ],
    [
      'ResourceClaimTemplate',
      { spec: { metadata: { uid: 'u' }, spec: {} } },
      ['spec.metadata.uID: Forbidden: cannot be set'],
    ],
    [
      'ResourceSlice',
      slice({ attributes: { v: { version: '1' } } }),
      [
        'spec.devices[0].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
      ],
    ],
    [
      'ResourceSlice',
      slice({ nodeName: 'n' }),
      [
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
    [
      'ResourceSlice',
      slice({ bindingConditions: ['a'] }),
      [
        'spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions',
      ],
    ],
    [
      'ResourceSlice',
      slice({ consumesCounters: [{}] }),
      [
        'spec.devices[0].consumesCounters[0].counterSet: Required value',
        'spec.devices[0].consumesCounters[0].counters: Required value',
      ],
    ],
    [
      'ResourceSlice',
      slice({ capacity: { c: { value: '1', requestPolicy: {} } } }),
      ['spec.devices[0].capacity[c].requestPolicy: Forbidden: allowMultipleAllocations must be true'],
    ],
    [
      'MutatingAdmissionPolicyBinding',
      {
        spec: {
          policyName: 'p',
          paramRef: { name: 'a/b', selector: {}, parameterNotFoundAction: 'x' },
        },
      },
      [
        'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
        'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
        'spec.paramRef.name: Invalid value: "a/b": may not contain \'/\'',
        'spec.paramRef.parameterNotFoundAction: Unsupported value: "x": supported values: "Deny", "Allow"',
      ],
    ],
  ];
  it.each(cases)('%s %j', (kind, body, messages) => {
    expect(problems(kind, body)).toEqual(messages);
  });

  const statuses: [kind: string, status: object, messages: string[]][] = [
    ['FlowSchema', { conditions: [{}] }, ['status.conditions[0].type: Required value']],
    [
      'PodDisruptionBudget',
      { expectedPods: -1 },
      ['status.expectedPods: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'VolumeAttachment',
      { attached: true, attachError: { errorCode: -1 } },
      [
        expect.stringContaining(''),
        'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      ],
    ],
    [
      'ResourceClaim',
      { devices: [{ driver: 'd', pool: 'p', device: 'a' }] },
      [
        'status.devices[0]: Invalid value: {"Driver":"d","Pool":"p","Device":"a","ShareID":""}: must be an allocated device in the claim',
      ],
    ],
    [
      'ValidatingAdmissionPolicy',
      { typeChecking: { expressionWarnings: [{}] } },
      [
        'status.typeChecking.expressionWarnings[0].warning: Required value',
        'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
      ],
    ],
  ];
  it.each(statuses)('status of a %s %j', (kind, status, messages) => {
    const found = statusProblems(kind, status);
    expect(found.slice(-messages.length)).toEqual(messages);
  });

  it('conditions are checked', () => {
    const said = {
      type: 'Ready',
      status: 'True',
      reason: 'So',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    expect(check(conditions, [said], 'c')).toEqual([]);
    const wrong = check(conditions, [said, { ...said, status: 'Yes', reason: '-', observedGeneration: -1 }], 'c');
    expect(wrong.map(({ field, type }) => `${field} ${type}`)).toEqual([
      'c[1].status FieldValueNotSupported',
      'c[1].observedGeneration FieldValueInvalid',
      'c[1].reason FieldValueInvalid',
      'c[1].type FieldValueDuplicate',
    ]);
  });
});
