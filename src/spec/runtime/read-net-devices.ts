import type { NetDeviceConfig } from "./attribute-types.ts";
import { malformed, optional, readMap, readObject, readString } from "./reader.ts";

/** `linux.netDevices`: by their name on the host. */
export function readNetDevices(value: unknown, path: string): ReadonlyMap<string, NetDeviceConfig> {
  const devices = readMap(value, path, (x, p) => {
    const name = optional(readObject(x, p)["name"], `${p}.name`, readString);
    // One `%d` is a number that the kernel chooses.
    if (name !== undefined && name !== "") checkName(name.replace("%d", "0"), `${p}.name`);
    return { name: name === "" ? undefined : name };
  });
  const taken = new Set<string>();
  for (const [name, device] of devices) {
    checkName(name, `name of an entry of ${path}`);
    const inside = device.name ?? name;
    if (taken.has(inside) && !inside.includes("%d")) throw malformed(path, `must not name ${inside} a second time`);
    taken.add(inside);
  }
  return devices;
}

/** The rules of the kernel's dev_valid_name(), and no template beyond the one that is allowed. */
function checkName(name: string, path: string): void {
  if (!/^[^\s/:%]{1,15}$/.test(name) || name === "." || name === "..")
    throw malformed(path, "must be a network device's name: 1 to 15 characters without /, : and white space");
}
