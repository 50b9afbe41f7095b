/** What a policy's status says of its expressions, by the types of what it matches. */
import { describe, expect, it } from 'vitest';
import { Simulation } from '../../src/controllers/client/simulation.ts';
import { validatingAdmissionPolicyStatusController } from '../../src/controllers/validating-admission-policy-status/index.ts';
import type { ValidatingAdmissionPolicy } from '../../src/generated/types/admissionregistration.v1.ts';
import type { CustomResourceDefinition } from '../../src/generated/types/apiextensions.v1.ts';

const POLICIES = 'admissionregistration.k8s.io/validatingadmissionpolicies';
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';

const WIDGETS: CustomResourceDefinition = {
  metadata: { name: 'widgets.demo.io' },
  spec: {
    group: 'demo.io',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' }, name: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
  status: {
    conditions: [{ type: 'Established', status: 'True' }],
    acceptedNames: { plural: 'widgets', kind: 'Widget' },
    storedVersions: ['v1'],
  },
};

const rule = (group: string, resources: string[], versions = ['v1']) => ({
  apiGroups: [group],
  apiVersions: versions,
  operations: ['*'],
  resources,
});
const DEPLOYMENTS = rule('apps', ['deployments']);

async function statusOf(
  spec: object,
  rules: object[] = [DEPLOYMENTS],
): Promise<NonNullable<ValidatingAdmissionPolicy['status']>> {
  const sim = new Simulation({ controllers: [validatingAdmissionPolicyStatusController] });
  await sim.cluster.create(DEFINITIONS, WIDGETS);
  const policy = {
    metadata: { name: 'p', generation: 1 },
    spec: { matchConstraints: { resourceRules: rules }, ...spec },
  };
  await sim.cluster.create(POLICIES, policy as unknown as ValidatingAdmissionPolicy);
  await sim.settle();
  return sim.cluster.peek<ValidatingAdmissionPolicy>(POLICIES, '', 'p')?.status ?? {};
}

const check = (...expressions: string[]) => ({ validations: expressions.map((expression) => ({ expression })) });

describe('the status of a policy', () => {
  it('says that nothing is wrong', async () => {
    expect(await statusOf(check('object.spec.replicas > 1'))).toEqual({ observedGeneration: 1, typeChecking: {} });
  });

  it('says what is wrong with which kind, and where', async () => {
    const status = await statusOf(check('true', 'object.replicas > 1'));
    expect(status.typeChecking?.expressionWarnings).toEqual([
      {
        fieldRef: 'spec.validations[1].expression',
        warning:
          "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n",
      },
    ]);
  });

  it.each<[string, object, object[], string[]]>([
    [
      'each kind',
      check('object.spec.replicas > 1'),
      [rule('apps', ['replicasets', 'deployments', 'daemonsets'])],
      ["apps/v1, Kind=DaemonSet: ERROR: <input>:1:12: undefined field 'replicas'"],
    ],
    [
      'the core group',
      check('object.spec.replicas > 1'),
      [rule('', ['pods', 'pods/exec'])],
      ["/v1, Kind=Pod: ERROR: <input>:1:12: undefined field 'replicas'"],
    ],
    [
      'a wrong type',
      check('object.spec.replicas == "1"'),
      [DEPLOYMENTS],
      ["found no matching overload for '_==_' applied to '(int, string)'"],
    ],
    [
      'a loop',
      check('object.spec.template.spec.containers.all(c, c.imag != "")'),
      [DEPLOYMENTS],
      ["undefined field 'imag'"],
    ],
    [
      'its variables',
      { variables: [{ name: 's', expression: 'object.spec' }], ...check('variables.s.replica == 1') },
      [DEPLOYMENTS],
      ["undefined field 'replica'"],
    ],
    [
      'the computed message',
      { validations: [{ expression: 'true', messageExpression: 'object.nope' }] },
      [DEPLOYMENTS],
      ["undefined field 'nope'"],
    ],
    [
      'a custom resource',
      check('object.spec.sise > 1'),
      [rule('demo.io', ['widgets'])],
      ["demo.io/v1, Kind=Widget: ERROR: <input>:1:12: undefined field 'sise'"],
    ],
    [
      'parameters',
      { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, ...check('params.dat.x == "1"') },
      [DEPLOYMENTS],
      ["undefined field 'dat'"],
    ],
    [
      'custom parameters',
      { paramKind: { apiVersion: 'demo.io/v1', kind: 'Widget' }, ...check('object.spec.replicas <= params.spec.name') },
      [DEPLOYMENTS],
      ["found no matching overload for '_<=_' applied to '(int, string)'"],
    ],
  ])('warns of %s', async (_, spec, rules, wanted) => {
    const { typeChecking } = await statusOf(spec, rules);
    expect(typeChecking?.expressionWarnings?.map(({ warning }) => warning)).toEqual(
      wanted.map((text) => expect.stringContaining(text)),
    );
  });

  it.each<[string, object, object[]]>([
    ['patterns', check('object.nope'), [rule('apps', ['*']), rule('*', ['deployments'])]],
    ['what there is not', check('object.nope'), [rule('apps', ['nothings']), rule('demo.io', ['gadgets'])]],
    [
      'quantities and ports',
      check('object.spec.containers.all(c, c.resources.limits["cpu"] == "1" && c.livenessProbe.httpGet.port == 1)'),
      [rule('', ['pods'])],
    ],
    [
      'metadata',
      check(
        'object.metadata.labels["a"] == "b" && object.metadata.creationTimestamp < timestamp("2026-01-01T00:00:00Z")',
      ),
      [rule('demo.io', ['widgets'])],
    ],
    ['what was', check('oldObject == null || oldObject.spec.replicas <= object.spec.replicas'), [DEPLOYMENTS]],
    ['optional fields', check('object.?spec.?replicas.orValue(1) == 1 && has(object.spec.paused)'), [DEPLOYMENTS]],
    ['the authorizer', check('authorizer.requestResource.check("create").allowed()'), [DEPLOYMENTS]],
  ])('does not warn of %s', async (_, spec, rules) => {
    expect(await statusOf(spec, rules)).toEqual({ observedGeneration: 1, typeChecking: {} });
  });
});
