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
  /** CNI plugins'; the name is that of a configuration, or empty for the first one. */
  | { readonly kind: "cni"; readonly networks: readonly NetworkOption[] }
  | { readonly kind: "networks"; readonly networks: readonly NetworkOption[] };

export const defaultNetworkName = "bridge";
const containerPrefix = "container:";
const cniName = "cni";
const cniPrefix = `${cniName}:`;

function modeOf(name: string): NetworkMode {
  if (name === "none") return { kind: "none" };
  if (name === "host") return { kind: "host" };
  if (name.startsWith(containerPrefix)) return { kind: "container", container: name.slice(containerPrefix.length) };
  if (name === cniName) return { kind: "cni", networks: [{ name: "" }] };
  if (name.startsWith(cniPrefix)) return { kind: "cni", networks: [{ name: name.slice(cniPrefix.length) }] };
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
  const kinds = new Set<string>();
  const list = networks.map((option): NetworkOption => {
    const mode = modeOf(option.name);
    kinds.add(mode.kind);
    if (kinds.size > 1)
      throw invalidArgument(`Cannot use network "${option.name}": networks of CNI and others go not together`);
    if (mode.kind !== "networks" && mode.kind !== "cni")
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
  return { kind: kinds.has("cni") ? "cni" : "networks", networks: list };
}

/** How `--network` names a CNI network. */
export const cniNetworkName = (name: string): string => (name === "" ? cniName : cniPrefix + name);

/** As `inspect` shows it in HostConfig.NetworkMode. */
export function networkModeName(options: Pick<ContainerOptions, "network" | "networks">): string {
  const mode = networkMode(options);
  if (mode.kind === "cni") return cniNetworkName(mode.networks[0]?.name ?? "");
  if (mode.kind === "container") return `${containerPrefix}${mode.container}`;
  return mode.kind === "networks" ? (mode.networks[0]?.name ?? defaultNetworkName) : mode.kind;
}
