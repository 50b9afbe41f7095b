/** Admission policies at work, by the names of Kubernetes' conformance tests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../src/generated/types/admissionregistration.v1.ts';
import type { Deployment } from '../../../src/generated/types/apps.v1.ts';
import { Cluster, refusal, type TestNamespace } from './cluster.ts';
import { workload } from './objects.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
/** Policies take effect within the age of a snapshot. */
const WITHIN = { interval: 100 };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster?.stop());

/** Deployments of one namespace. */
const constraints = ({ name }: TestNamespace) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  resourceRules: [
    { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
  ],
});
const deployment = (replicas: number): object => workload('d', { replicas });
const dryRun = { dryRun: 'All' };

describe('[sig-api-machinery] MutatingAdmissionPolicy', () => {
  const mutated = async (mutation: Mutation): Promise<Deployment> => {
    const namespace = await cluster.namespace();
    const { name } = namespace;
    await cluster.of<MutatingAdmissionPolicy>(GROUP, 'mutatingadmissionpolicies').create({
      metadata: { name },
      spec: { matchConstraints: constraints(namespace), reinvocationPolicy: 'Never', mutations: [mutation] },
    });
    await cluster
      .of<MutatingAdmissionPolicyBinding>(GROUP, 'mutatingadmissionpolicybindings')
      .create({ metadata: { name }, spec: { policyName: name } });
    const deployments = namespace.of<Deployment>('apps/v1', 'deployments');
    const annotations = async () => (await deployments.create(deployment(1), dryRun)).metadata.annotations;
    await expect.poll(annotations, WITHIN).toHaveProperty('mutated-by');
    return deployments.create(deployment(1));
  };

  it('should mutate a Deployment', async () => {
    const expression = 'Object{metadata: Object.metadata{annotations: {"mutated-by": "admission-policy"}}}';
    const made = await mutated({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
    expect(made.metadata.annotations).toEqual({ 'mutated-by': 'admission-policy' });
  });

  it('should mutate a Deployment with annotations', async () => {
    const expression = `[
      JSONPatch{op: "test", path: "/spec/replicas", value: 1},
      JSONPatch{op: "add", path: "/metadata/annotations", value: {}},
      JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("mutated-by"), value: request.operation},
      JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas + 1}
    ]`;
    const made = await mutated({ patchType: 'JSONPatch', jsonPatch: { expression } });
    expect(made).toMatchObject({ metadata: { annotations: { 'mutated-by': 'CREATE' } }, spec: { replicas: 2 } });
  });
});

describe('[sig-api-machinery] ValidatingAdmissionPolicy', () => {
  const under = async (spec: object) => {
    const namespace = await cluster.namespace();
    const { name } = namespace;
    await cluster
      .of<ValidatingAdmissionPolicy>(GROUP, 'validatingadmissionpolicies')
      .create({ metadata: { name }, spec: { matchConstraints: constraints(namespace), ...spec } });
    await cluster
      .of<ValidatingAdmissionPolicyBinding>(GROUP, 'validatingadmissionpolicybindings')
      .create({ metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } });
    return namespace.of<Deployment>('apps/v1', 'deployments');
  };
  const refuses = (deployments: Awaited<ReturnType<typeof under>>, replicas: number, why: string) =>
    expect
      .poll(() => refusal(deployments.create(deployment(replicas), dryRun)).then((s) => s.message, String), WITHIN)
      .toContain(why);

  it('should validate against a Deployment', async () => {
    const deployments = await under({
      validations: [
        {
          expression: 'object.spec.replicas > 1',
          messageExpression: "'wants more than ' + string(object.spec.replicas)",
        },
        { expression: 'namespaceObject.metadata.name.startsWith("test-")', message: 'other namespaces' },
      ],
    });
    await refuses(deployments, 1, 'denied request: wants more than 1');
    await deployments.create(deployment(2));
  });

  it('should allow expressions to refer variables.', async () => {
    const deployments = await under({
      variables: [
        { name: 'replicas', expression: 'object.spec.replicas' },
        { name: 'oddReplicas', expression: 'variables.replicas % 2 == 1' },
      ],
      validations: [{ expression: 'variables.replicas > 1' }, { expression: 'variables.oddReplicas' }],
    });
    await refuses(deployments, 1, 'denied request: failed expression: variables.replicas > 1');
    await refuses(deployments, 2, 'denied request: failed expression: variables.oddReplicas');
    await deployments.create(deployment(3));
  });
});
