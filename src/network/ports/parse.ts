/** What `-p` takes: `[[address:]host-port[-last]:]port[-last][/tcp|udp|sctp]`. */
import { invalidArgument } from "#errdefs";
import { parseIp } from "../address/text.ts";
import { protocols, type TransportProtocol } from "../firewall/keys.ts";

/** A port of a container that is to be published. */
export interface PortRequest {
  readonly protocol: TransportProtocol;
  /** All of the host's when missing. */
  readonly hostAddress?: string;
  /** The first that is free of these; any free one of the host's when missing. */
  readonly hostPorts?: readonly [first: number, last: number];
  /** Of the container. */
  readonly port: number;
}

/** Most ports that one `-p` may name. */
const largestRange = 10_000;

function readRange(text: string, refuse: (state: string) => never): readonly [first: number, last: number] {
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (from === "") return refuse(`"${text}" is no port`);
  const [first, last] = [Number(from), Number(to)];
  if (first < 1 || last > 65_535) return refuse("ports are 1 to 65535");
  if (last < first) return refuse("the range ends before it begins");
  if (last - first >= largestRange) return refuse(`a range has at most ${largestRange} ports`);
  return [first, last];
}

/** Splits at colons outside of brackets. */
function fieldsOf(text: string): string[] {
  const [, bracketed, rest = text] = /^\[([^\]]*)\]:(.*)$/.exec(text) ?? [];
  return [...(bracketed === undefined ? [] : [bracketed]), ...rest.split(":")];
}

/**
 * One request for each port of the container. With a range of the host's and a single port of the container, that port gets
 * the first of them that is free.
 *
 * @throws SampanError `invalid-argument`
 */
export function parsePublish(text: string): PortRequest[] {
  const refuse = (state: string): never => {
    throw invalidArgument(`Cannot publish "${text}": ${state}`, {
      remedy: "Write [[ADDRESS:]HOST-PORT:]PORT[/tcp|udp|sctp], an IPv6 address in brackets",
    });
  };
  const [ports = "", protocol = "tcp", ...more] = text.split("/");
  if (more.length > 0) return refuse("it has two protocols");
  if (!Object.hasOwn(protocols, protocol)) return refuse(`the protocol is one of ${Object.keys(protocols).join(", ")}`);
  const fields = fieldsOf(ports);
  if (fields.length > 3 || (ports.startsWith("[") && fields.length < 3))
    return refuse("it has too many colons or too few");
  const [inside = "", host = "", address = ""] = [...fields].reverse();
  if (fields.length === 3 && parseIp(address) === undefined) return refuse(`"${address}" is no address`);
  if (fields.length === 2 && host === "") return refuse("the port of the host is missing");
  const [first, last] = readRange(inside, refuse);
  const outside = host === "" ? undefined : readRange(host, refuse);
  const count = last - first + 1;
  const same = outside !== undefined && outside[1] - outside[0] + 1 === count;
  if (outside !== undefined && !same && count > 1) return refuse("the two ranges have different lengths");
  return Array.from({ length: count }, (_, index): PortRequest => {
    const hostPorts = outside === undefined || !same ? outside : ([outside[0] + index, outside[0] + index] as const);
    return {
      protocol: protocol as TransportProtocol,
      ...(fields.length === 3 ? { hostAddress: address } : {}),
      ...(hostPorts === undefined ? {} : { hostPorts }),
      port: first + index,
    };
  });
}
