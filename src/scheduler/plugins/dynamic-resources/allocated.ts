/** What claims hold of devices (upstream's `AllocatedState`). */
import { add, parseQuantity, type Quantity } from '../../../apimachinery/quantity.ts';
import type { AllocationResult } from '../../../generated/types/resource.v1.ts';

/** Amounts by the name of a capacity. */
export type Amounts = Map<string, Quantity>;

/** A device's name in the whole cluster; neither drivers nor devices have a slash in theirs. */
export const deviceId = (driver = '', pool = '', device = ''): string => `${driver}/${pool}/${device}`;

export class Allocated {
  /** Ids of devices that one claim has for itself. */
  readonly devices = new Set<string>();
  /** Of devices that claims share, what they take together. */
  readonly shared = new Map<string, Amounts>();

  /** Counts an allocation; who looks after devices with administrator's access takes nothing. */
  add(allocation: AllocationResult): void {
    for (const { driver, pool, device, adminAccess, shareID, consumedCapacity } of allocation.devices?.results ?? []) {
      if (adminAccess) continue;
      const id = deviceId(driver, pool, device);
      if (shareID === undefined) this.devices.add(id);
      else this.share(id, consumedCapacity ?? {});
    }
  }

  private share(id: string, consumed: Readonly<Record<string, string>>): void {
    const amounts = this.shared.get(id) ?? new Map<string, Quantity>();
    this.shared.set(id, amounts);
    for (const [name, text] of Object.entries(consumed)) {
      const amount = parseQuantity(text);
      const before = amounts.get(name);
      amounts.set(name, before === undefined ? amount : add(before, amount));
    }
  }
}
