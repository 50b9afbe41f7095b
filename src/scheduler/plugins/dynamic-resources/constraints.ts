/** What the devices of a claim must have in common, or not (`matchAttribute`, `distinctAttribute`). */
import type { DeviceConstraint } from '../../../generated/types/resource.v1.ts';
import type { PoolDevice } from './pools.ts';
import type { Wanted } from './requests.ts';

/** The attribute's type and value as one text; undefined when the device has none, or one that cannot be compared. */
function attributeOf({ device, pool }: PoolDevice, name: string): string | undefined {
  const slash = name.indexOf('/');
  const inOwnDomain = name.slice(0, slash) === pool.driver ? device.attributes?.[name.slice(slash + 1)] : undefined;
  const { string, int, bool, version } = device.attributes?.[name] ?? inOwnDomain ?? {};
  const values = Object.entries({ string, int, bool, version }).find(([, value]) => value !== undefined);
  return values?.join(':');
}

/** One constraint, and the values of the devices that are chosen so far: the last chosen is the first taken back. */
export class Constraint {
  private readonly requests: ReadonlySet<string>;
  private readonly name: string;
  private readonly distinct: boolean;
  private readonly values: string[] = [];

  constructor({ requests, matchAttribute, distinctAttribute }: DeviceConstraint) {
    this.requests = new Set(requests);
    this.distinct = matchAttribute === undefined;
    this.name = matchAttribute ?? distinctAttribute ?? '';
  }

  /** Adds a device to those that are chosen. Answers whether it may be one of them. */
  add(device: PoolDevice, asked: Wanted): boolean {
    if (!this.concerns(asked)) return true;
    const value = attributeOf(device, this.name);
    if (value === undefined) return false;
    const [first] = this.values;
    const fits = this.distinct ? !this.values.includes(value) : first === undefined || first === value;
    if (fits) this.values.push(value);
    return fits;
  }

  /** Takes back what was added last. */
  remove(asked: Wanted): void {
    if (this.concerns(asked)) this.values.pop();
  }

  private concerns({ name, request }: Wanted): boolean {
    return this.requests.size === 0 || this.requests.has(request) || this.requests.has(name);
  }
}
