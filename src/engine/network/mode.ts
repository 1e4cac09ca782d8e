/** What `--network` says: a network of its own kind, or which networks. */
import { invalidArgument } from "#errdefs";
import type { ContainerOptions, NetworkOption } from "../options.ts";

export type NetworkMode =
  /** A loopback interface and nothing else. */
  | { readonly kind: "none" }
  /** The host's network as it is. */
  | { readonly kind: "host" }
  /** Another container's, by name or id. */
  | { readonly kind: "container"; readonly container: string }
  | { readonly kind: "networks"; readonly networks: readonly NetworkOption[] };

export const defaultNetworkName = "bridge";
const containerPrefix = "container:";

function modeOf(name: string): NetworkMode {
  if (name === "none") return { kind: "none" };
  if (name === "host") return { kind: "host" };
  if (name.startsWith(containerPrefix)) return { kind: "container", container: name.slice(containerPrefix.length) };
  return { kind: "networks", networks: [{ name: name === "default" ? defaultNetworkName : name }] };
}

/**
 * Without either option it is `none`: the engine writes its default down when it makes a container.
 *
 * @throws SampanError `invalid-argument` for both options, and for `none`, `host` and `container:` among several
 */
export function networkMode(options: Pick<ContainerOptions, "network" | "networks">): NetworkMode {
  const { network, networks } = options;
  if (networks === undefined || networks.length === 0) return modeOf(network ?? "none");
  if (network !== undefined) throw invalidArgument("Cannot use network and networks: only one of them may be given");
  const [first] = networks;
  if (networks.length === 1 && first !== undefined && Object.keys(first).length === 1) return modeOf(first.name);
  const names = new Set<string>();
  const list = networks.map((option): NetworkOption => {
    const mode = modeOf(option.name);
    if (mode.kind !== "networks")
      throw invalidArgument(
        networks.length > 1
          ? `Cannot use network "${option.name}": it goes with no other`
          : `Cannot use network "${option.name}": it takes no address and no alias`,
      );
    const name = mode.networks[0]?.name ?? "";
    if (names.has(name)) throw invalidArgument(`Cannot use network "${name}": it is given twice`);
    names.add(name);
    return { ...option, name };
  });
  return { kind: "networks", networks: list };
}

/** As `inspect` shows it in HostConfig.NetworkMode. */
export function networkModeName(options: Pick<ContainerOptions, "network" | "networks">): string {
  const mode = networkMode(options);
  if (mode.kind === "container") return `${containerPrefix}${mode.container}`;
  return mode.kind === "networks" ? (mode.networks[0]?.name ?? defaultNetworkName) : mode.kind;
}
