/** What may be said of devices, and of what claims were given. */
import { expect, it } from 'vitest';
import type { FieldError } from '../../src/apimachinery/field.ts';
import type { DeviceTaint, ResourceClaim, ResourceSlice } from '../../src/generated/types/resource.v1.ts';
import { resourceClaimStatus } from '../../src/resources/resource-k8s-io/claim-status.ts';
import { resourceSlice } from '../../src/resources/resource-k8s-io/slices.ts';

const texts = (errors: readonly FieldError[] = []): string[] => errors.map(({ field, body }) => `${field}: ${body}`);

type Status = NonNullable<ResourceClaim['status']>;
const result = { request: 'r', driver: 'x.io', pool: 'p', device: 'd' };
const given = (more: object = {}): Status['allocation'] => ({ devices: { results: [{ ...result, ...more }] } });
const by = (uid: string) => ({ resource: 'pods', name: uid, uid });
const claim = (status: Status, deletionTimestamp?: string): ResourceClaim => ({
  metadata: { name: 'c', namespace: 'ns', ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  spec: { devices: { requests: [{ name: 'r' }] } },
  status,
});
const GOING = '2026-01-01T00:00:00Z';

it.each<[what: string, before: Status, after: Status, going: string | undefined, errors: (string | RegExp)[]]>([
  ['devices are given', {}, { allocation: given(), reservedFor: [by('a')] }, undefined, []],
  ['devices are given back', { allocation: given() }, {}, undefined, []],
  [
    'another user comes',
    { allocation: given(), reservedFor: [by('a')] },
    { allocation: given(), reservedFor: [by('a'), by('b')] },
    undefined,
    [],
  ],
  [
    'other devices are given',
    { allocation: given() },
    { allocation: given({ device: 'e' }) },
    undefined,
    [/^status\.allocation: Invalid value: \{"Devices":\{"Results":\[\{"Request":"r".*field is immutable$/],
  ],
  [
    'a user without devices',
    {},
    { reservedFor: [by('a')] },
    undefined,
    ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
  ],
  [
    'another user of a claim that goes',
    { allocation: given(), reservedFor: [by('a')] },
    { allocation: given(), reservedFor: [by('b')] },
    GOING,
    [
      'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
    ],
  ],
  [
    'users of a claim that goes, one less',
    { allocation: given(), reservedFor: [by('a'), by('b')] },
    { allocation: given(), reservedFor: [by('b')] },
    GOING,
    [],
  ],
  [
    'one user twice',
    {},
    { allocation: given(), reservedFor: [by('a'), by('a')] },
    undefined,
    ['status.reservedFor[1]: Duplicate value: "a"'],
  ],
  [
    'a user of no name',
    {},
    { allocation: given(), reservedFor: [{ resource: 'pods', uid: 'a' }] },
    undefined,
    ['status.reservedFor[0].name: Required value'],
  ],
  [
    'too many users',
    {},
    { allocation: given(), reservedFor: Array.from({ length: 257 }, (_, i) => by(`u${i}`)) },
    undefined,
    ['status.reservedFor: Too many: 257: must have at most 256 items'],
  ],
  [
    'devices that make no sense',
    {},
    { allocation: given({ request: 'other', driver: '', pool: '', device: 'D' }) },
    undefined,
    [
      'status.allocation.devices.results[0].request: Invalid value: "other": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
      'status.allocation.devices.results[0].driver: Required value',
      'status.allocation.devices.results[0].pool: Required value',
      /^status\.allocation\.devices\.results\[0\]\.device: Invalid value: "D"/,
    ],
  ],
])('of a claim’s status: %s', (_, before, after, going, errors) => {
  const said = texts(resourceClaimStatus.validateUpdate?.(claim(after, going), claim(before, going)));
  expect(said).toHaveLength(errors.length);
  errors.forEach((error, i) => {
    if (typeof error === 'string') expect(said[i]).toBe(error);
    else expect(said[i]).toMatch(error);
  });
});

const slice = (taints: DeviceTaint[]): ResourceSlice => ({
  metadata: { name: 's' },
  spec: {
    driver: 'x.io',
    pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
    nodeName: 'n',
    devices: [{ name: 'd', taints }],
  },
});

it.each<[taint: DeviceTaint, errors: string[]]>([
  [{ key: 'x.io/sick', value: 'yes', effect: 'NoExecute' }, []],
  [{ key: 'sick', effect: 'None' }, []],
  [{ key: 'sick' }, ['spec.devices[0].taints[0].effect: Required value']],
  [
    { key: 'sick', effect: 'Other' },
    [
      'spec.devices[0].taints[0].effect: Unsupported value: "Other": supported values: "NoExecute", "NoSchedule", "None"',
    ],
  ],
])('of a taint: %j', (taint, errors) => {
  expect(texts(resourceSlice.validate?.(slice([taint])))).toEqual(errors);
});

it('a taint says since when', () => {
  const [fresh, old] = [slice([{ key: 'a', effect: 'None' }]), slice([{ key: 'a', effect: 'None', timeAdded: GOING }])];
  resourceSlice.default?.(fresh);
  resourceSlice.default?.(old);
  expect(Date.parse(fresh.spec?.devices?.[0]?.taints?.[0]?.timeAdded ?? '')).toBeGreaterThan(Date.parse(GOING) - 1e12);
  expect(old.spec?.devices?.[0]?.taints?.[0]?.timeAdded).toBe(GOING);
});
