/** What CSI drivers say of themselves: CSIDriver, CSINode and CSIStorageCapacity. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { duplicate, type FieldError, invalid, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength, isDns1123Subdomain, isQualifiedName } from '../../apimachinery/names.ts';
import { canonical, compareQuantity } from '../../apimachinery/quantity.ts';
import type {
  CSIDriver,
  CSIDriverSpec,
  CSINode,
  CSINodeDriver,
  CSIStorageCapacity,
} from '../../generated/types/storage.v1.ts';
import type { Strategy } from '../resource.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { nullable, struct, text } from '../validation/go-struct.ts';
import { immutable, nonNegative, oneOf, type Rule, unsupported } from '../validation/rules.ts';
import { labelSelector } from '../validation/selectors.ts';

const LONGEST_NAME = 63;
const LONGEST_NODE_ID = 256;
const SHORTEST_TOKEN_SECONDS = 600;
const LONGEST_TOKEN_SECONDS = 2 ** 32;
const SHORTEST_UPDATE_SECONDS = 10;

/** A driver's name (`ValidateCSIDriverName`): a subdomain in any case. */
export const driverName: Rule<string | undefined> = (name = '', path, errors) => {
  if (name === '') errors.push(required(path));
  if (byteLength(name) > LONGEST_NAME) errors.push(tooLong(path, LONGEST_NAME));
  if (name === '') return;
  for (const problem of isDns1123Subdomain(name.toLowerCase())) errors.push(invalid(path, name, problem));
};

function defaultDriver(spec: CSIDriverSpec): void {
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

function tokenErrors(requests: CSIDriverSpec['tokenRequests'], errors: FieldError[]): void {
  const audiences = new Set<string>();
  requests?.forEach(({ audience = '', expirationSeconds: seconds }, index) => {
    const at = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) {
      errors.push(duplicate(`${at}.audience`, audience));
      return;
    }
    audiences.add(audience);
    if (seconds === undefined) return;
    if (seconds < SHORTEST_TOKEN_SECONDS) {
      const detail = 'may not specify a duration less than 10 minutes';
      errors.push(invalid(`${at}.expirationSeconds`, seconds, detail));
    }
    if (seconds > LONGEST_TOKEN_SECONDS) {
      const detail = 'may not specify a duration larger than 2^32 seconds';
      errors.push(invalid(`${at}.expirationSeconds`, seconds, detail));
    }
  });
}

const fsGroupPolicy = oneOf('File', 'None', 'ReadWriteOnceWithFSType');
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral'];

function validateDriver({ spec = {} }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  fsGroupPolicy(spec.fsGroupPolicy, 'spec.fsGroupPolicy', errors);
  tokenErrors(spec.tokenRequests, errors);
  for (const mode of (spec.volumeLifecycleModes ?? []) as string[]) {
    if (!LIFECYCLE_MODES.includes(mode)) errors.push(unsupported('spec.volumeLifecycleModes', mode, LIFECYCLE_MODES));
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < SHORTEST_UPDATE_SECONDS) {
    const detail = `must be greater than or equal to ${SHORTEST_UPDATE_SECONDS} seconds`;
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail));
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && !spec.tokenRequests?.length) {
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(invalid('spec.serviceAccountTokenInSecrets', spec.serviceAccountTokenInSecrets, detail));
  }
  return errors;
}

const TOKEN_WARNING =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes';

/** That pods wait for drivers is switched off. */
function dropDisabled({ spec }: CSIDriver): void {
  delete spec?.preventPodSchedulingIfMissing;
}

/** How CSIDrivers are made: how volumes are attached is settled once. */
export const csiDriver: Strategy<CSIDriver> = {
  metadataChecks: [0, 1],
  unconditionalUpdate: false,
  generation: 'on update',
  prepareForCreate: dropDisabled,
  prepareForUpdate: dropDisabled,
  default(driver) {
    driver.spec ??= {};
    defaultDriver(driver.spec);
  },
  validate: validateDriver,
  validateUpdate(driver, old) {
    const errors = validateDriver(driver);
    // Upstream's path has the field in another form.
    immutable(driver.spec?.attachRequired, old.spec?.attachRequired, 'spec.attachedRequired', errors);
    const [modes, before] = [driver.spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes];
    immutable(modes, before, 'spec.volumeLifecycleModes', errors);
    return errors;
  },
  warnings({ spec }, old) {
    const asks = spec?.tokenRequests?.length && spec.serviceAccountTokenInSecrets === undefined;
    // Said once: again only when what is asked for changes.
    return asks && !deepEqual(spec.tokenRequests, old?.spec?.tokenRequests) ? [TOKEN_WARNING] : [];
  },
};

/** Errors of the keys point at the driver, as upstream's do. */
function topologyKeyErrors(keys: readonly string[], path: string, errors: FieldError[]): void {
  keys.forEach((key, index) => {
    if (key === '') errors.push(required(path));
    if (keys.indexOf(key) < index) errors.push(duplicate(path, key));
    for (const problem of isQualifiedName(key)) errors.push(invalid(path, key, problem));
  });
}

function nodeDriverErrors(driver: CSINodeDriver, path: string, errors: FieldError[]): void {
  const { nodeID = '' } = driver;
  driverName(driver.name, `${path}.name`, errors);
  if (nodeID === '') errors.push(required(`${path}.nodeID`));
  if (byteLength(nodeID) > LONGEST_NODE_ID) {
    errors.push(invalid(`${path}.nodeID`, nodeID, `must be ${LONGEST_NODE_ID} characters or less`));
  }
  nonNegative(driver.allocatable?.count, `${path}.allocatable.count`, errors);
  topologyKeyErrors(driver.topologyKeys ?? [], path, errors);
}

function validateNode({ spec }: CSINode): FieldError[] {
  const errors: FieldError[] = [];
  const drivers = spec?.drivers ?? [];
  drivers.forEach((driver, index) => {
    const at = `spec.drivers[${index}]`;
    nodeDriverErrors(driver, at, errors);
    const first = drivers.findIndex(({ name }) => name === driver.name);
    if (first < index) errors.push(duplicate(`${at}.name`, driver.name ?? ''));
  });
  return errors;
}

/** What stays of a driver: how many volumes it can attach may change. */
const shownDriver = struct({ Name: text, NodeID: text, TopologyKeys: nullable, Allocatable: () => null });

/** How CSINodes are made: drivers come and go, but do not change. */
export const csiNode: Strategy<CSINode> = {
  metadataChecks: [1, 0],
  unconditionalUpdate: false,
  generation: false,
  validate: validateNode,
  validateUpdate(node, old) {
    const errors = validateNode(node);
    for (const was of old.spec?.drivers ?? []) {
      const now = node.spec?.drivers?.find(({ name }) => name === was.name);
      if (now !== undefined && !deepEqual(shownDriver(now), shownDriver(was))) {
        errors.push(invalid('spec.drivers', shownDriver(now), 'field is immutable'));
      }
    }
    return errors;
  },
};

function validateCapacity(capacity: CSIStorageCapacity): FieldError[] {
  const errors: FieldError[] = [];
  dns1123Subdomain(capacity.storageClassName, 'storageClassName', errors);
  labelSelector(capacity.nodeTopology, 'nodeTopology', errors);
  const amount = capacity.capacity;
  if (amount !== undefined && compareQuantity(amount, '0') < 0) {
    errors.push(invalid('capacity', canonical(amount), 'must be greater than or equal to 0'));
  }
  return errors;
}

/** How CSIStorageCapacities are made: only the amounts change. */
export const csiStorageCapacity: Strategy<CSIStorageCapacity> = {
  unconditionalUpdate: false,
  validate: validateCapacity,
  validateUpdate(capacity, old) {
    const errors = validateCapacity(capacity);
    immutable(shownTopology(capacity), shownTopology(old), 'nodeTopology', errors);
    immutable(capacity.storageClassName ?? '', old.storageClassName ?? '', 'storageClassName', errors);
    return errors;
  },
};

/** A topology without labels is printed as empty. */
function shownTopology({ nodeTopology }: CSIStorageCapacity): unknown {
  if (nodeTopology === undefined) return null;
  const { matchLabels, matchExpressions } = nodeTopology;
  const labelled = Object.keys(matchLabels ?? {}).length > 0;
  const expressions = matchExpressions?.map(({ key = '', operator = '', values }) => ({
    key,
    operator,
    ...(values?.length ? { values } : {}),
  }));
  return { ...(labelled ? { matchLabels } : {}), ...(expressions?.length ? { matchExpressions: expressions } : {}) };
}
