/** Options of a container's network, looked at before anything is made. */
import { invalidArgument, notFound } from "#errdefs";
import type { EngineCore } from "../core.ts";
import type { ContainerOptions } from "../options.ts";
import type { ResolvedContainer } from "../records.ts";
import { checkDns, parseAddHost } from "./hosts.ts";
import { defaultNetworkName, networkMode, type NetworkMode } from "./mode.ts";

const isGiven = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

/**
 * The network options to keep with the container, with the default network named.
 *
 * @throws SampanError `invalid-argument` for what is malformed, or goes not with the kind of network
 */
export async function checkNetwork(
  core: EngineCore,
  options: ContainerOptions,
): Promise<Pick<ContainerOptions, "network" | "networks">> {
  const chosen =
    options.network === undefined && !isGiven(options.networks)
      ? { network: defaultNetworkName }
      : isGiven(options.networks)
        ? { networks: options.networks ?? [] }
        : { network: options.network ?? "" };
  const mode = networkMode({ ...options, ...chosen });
  checkDns(options);
  for (const text of options.addHosts ?? []) parseAddHost(text);
  if (isGiven(options.egress)) await checkEgress(core, options.egress ?? [], mode);
  if (mode.kind === "container" && [options.addHosts, options.dns, options.dnsSearch, options.dnsOptions].some(isGiven))
    throw invalidArgument(
      "Cannot set hosts and name servers of a container with another one's network: it has its files",
    );
  if (mode.kind === "cni") {
    const { checkCniOptions } = await import("./cni-networking.ts");
    await checkCniOptions(core, mode.networks, options);
    return chosen;
  }
  if (mode.kind === "networks") {
    for (const { name } of mode.networks)
      if (name !== defaultNetworkName && core.networkStore.network(name) === undefined)
        throw notFound(`Cannot find network "${name}": it does not exist`, { remedy: "See sampan network ls" });
    if (isGiven(options.publish)) (await core.networking()).check(options);
    return chosen;
  }
  if (mode.kind !== "host" && isGiven(options.publish))
    throw invalidArgument(
      `Cannot publish ports of a container with network "${mode.kind === "none" ? "none" : options.network}": it has no network of its own`,
      { remedy: mode.kind === "none" ? "Leave --network none out" : "Publish them with the other container" },
    );
  return chosen;
}

/** Only a bridge is a place where packets can be looked at. */
async function checkEgress(core: EngineCore, egress: readonly string[], mode: NetworkMode): Promise<void> {
  const { parseEgress } = await import("#network");
  if (parseEgress(egress) === undefined) return;
  const refuse = (network: string, remedy: string): never => {
    throw invalidArgument(`Cannot restrict what a container with network "${network}" may reach`, { remedy });
  };
  if (mode.kind === "none") refuse("none", "Leave --egress out: it reaches nothing");
  if (mode.kind === "host") refuse("host", "Use a network of its own");
  if (mode.kind === "cni") refuse("cni", "Use a network of the driver bridge, or let a plugin restrict it");
  if (mode.kind === "container") refuse(`container:${mode.container}`, "Restrict the other container");
  if (mode.kind === "networks")
    for (const { name } of mode.networks) {
      const driver = core.networkStore.network(name)?.driver ?? "bridge";
      if (driver !== "bridge") refuse(name, "Use a network of the driver bridge");
    }
}

const largestPort = 65_535;

/** `PORT[-LAST][/PROTOCOL]` as `80/tcp` for each port, undefined when it is malformed. */
function exposedPorts(text: string): string[] | undefined {
  const [, from = "", to = from, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (first < 1 || last > largestPort || last < first) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

/** Ports of `expose`, and of the image's EXPOSE; what is malformed there exposes nothing. */
export function exposed(
  options: ContainerOptions,
  image: readonly string[],
): Partial<Pick<ResolvedContainer, "exposed">> {
  const all = new Set(image.flatMap((text) => exposedPorts(text) ?? []));
  for (const text of options.expose ?? []) {
    const ports = exposedPorts(text);
    if (ports === undefined) throw invalidArgument(`Cannot expose "${text}": it is not PORT[-LAST][/tcp|udp|sctp]`);
    for (const port of ports) all.add(port);
  }
  return all.size === 0 ? {} : { exposed: [...all] };
}
