import type { BlockIoResources, Resources, ThrottleDevice, WeightDevice } from "#spec";

/** The second object's properties over the first's, those that are undefined left out. */
function over<T extends object>(before: T | undefined, update: T | undefined): T | undefined {
  if (update === undefined) return before;
  const given = Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined));
  return { ...before, ...given } as T;
}

const deviceKey = ({ major, minor }: { readonly major: number; readonly minor: number }): string => `${major}:${minor}`;

function byKey<T>(before: readonly T[], update: readonly T[], key: (item: T) => string): readonly T[] {
  const merged = new Map(before.map((item) => [key(item), item]));
  for (const item of update) merged.set(key(item), item);
  return [...merged.values()];
}

function mergeWeights(before: readonly WeightDevice[], update: readonly WeightDevice[]): readonly WeightDevice[] {
  const merged = new Map(before.map((item) => [deviceKey(item), item]));
  for (const item of update) merged.set(deviceKey(item), over(merged.get(deviceKey(item)), item) ?? item);
  return [...merged.values()];
}

function mergeBlockIo(
  before: BlockIoResources | undefined,
  update: BlockIoResources | undefined,
): BlockIoResources | undefined {
  if (before === undefined || update === undefined) return update ?? before;
  const throttle = (of: (io: BlockIoResources) => readonly ThrottleDevice[]): readonly ThrottleDevice[] =>
    byKey(of(before), of(update), deviceKey);
  return {
    weight: update.weight ?? before.weight,
    leafWeight: update.leafWeight ?? before.leafWeight,
    weightDevice: mergeWeights(before.weightDevice, update.weightDevice),
    throttleReadBpsDevice: throttle((io) => io.throttleReadBpsDevice),
    throttleWriteBpsDevice: throttle((io) => io.throttleWriteBpsDevice),
    throttleReadIOPSDevice: throttle((io) => io.throttleReadIOPSDevice),
    throttleWriteIOPSDevice: throttle((io) => io.throttleWriteIOPSDevice),
  };
}

/** What holds after an update: of each limit the new value where one is given, the old one where not. */
export function mergeResources(before: Resources | undefined, update: Resources): Resources {
  if (before === undefined) return update;
  let memory = over(before.memory, update.memory);
  // Memory without limit takes swap's limit with it, unless that is given too.
  if (memory !== undefined && (update.memory?.limit ?? 0n) < 0n && (update.memory?.swap ?? 0n) === 0n)
    memory = { ...memory, swap: undefined };
  return {
    devices: update.devices.length > 0 ? update.devices : before.devices,
    memory,
    cpu: over(before.cpu, update.cpu),
    pids: update.pids ?? before.pids,
    blockIO: mergeBlockIo(before.blockIO, update.blockIO),
    hugepageLimits: byKey(before.hugepageLimits, update.hugepageLimits, ({ pageSize }) => pageSize),
    network: over(before.network, update.network),
    rdma: new Map([...before.rdma, ...update.rdma]),
    unified: new Map([...before.unified, ...update.unified]),
  };
}
