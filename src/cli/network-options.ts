/** What the options about networks mean to the engine. */
import type { ContainerOptions, NetworkOption } from "#engine";
import { invalidArgument } from "#errdefs";
import type { RunValues } from "./run-flags.ts";

const given = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** Without what is undefined. */
function defined<T extends object>(object: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

const fields = { ip: "ip", ip6: "ip6", "mac-address": "mac", mac: "mac", interface: "interface" } as const;
const isField = (name: string): name is keyof typeof fields => Object.hasOwn(fields, name);

/** A name alone, or `name=NAME,ip=…,ip6=…,mac-address=…,alias=…,interface=…`. */
function parseNetwork(text: string): NetworkOption {
  if (!text.includes("=")) return { name: text };
  const aliases: string[] = [];
  const option: { -readonly [K in keyof NetworkOption]: NetworkOption[K] } = { name: "" };
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const [name, value] = [part.slice(0, Math.max(at, 0)), part.slice(at + 1)];
    if (at < 0 || value === "") throw invalidArgument(`Cannot parse --network "${text}": "${part}" is not NAME=VALUE`);
    if (name === "name") option.name = value;
    else if (name === "alias") aliases.push(value);
    else if (isField(name)) option[fields[name]] = value;
    else
      throw invalidArgument(`Cannot parse --network "${text}": it has no "${name}"`, {
        remedy: `It has name, alias, ${Object.keys(fields).join(", ")}`,
      });
  }
  if (option.name === "") throw invalidArgument(`Cannot parse --network "${text}": it has no name=`);
  return aliases.length === 0 ? option : { ...option, aliases };
}

/** The network options of a command line. Those that are not given are left out. */
export function networkOptions(values: RunValues): Partial<ContainerOptions> {
  const networks = values.network.map(parseNetwork);
  const aliases = given(values["network-alias"]);
  const first = defined<Partial<NetworkOption>>({
    ip: values.ip,
    ip6: values.ip6,
    mac: values["mac-address"],
    aliases,
  });
  const [head = { name: "bridge" }, ...tail] = networks;
  const hasDetails = Object.keys(first).length > 0;
  const merged = { ...head, ...first };
  if (aliases !== undefined && head.aliases !== undefined) merged.aliases = [...head.aliases, ...aliases];
  const plain = !hasDetails && tail.length === 0 && Object.keys(head).length === 1;
  return defined<Partial<ContainerOptions>>({
    network: plain && networks.length > 0 ? head.name : undefined,
    networks: plain ? undefined : [merged, ...tail],
    cni: values["cni-arg"].length === 0 ? undefined : { args: pairs(values["cni-arg"], "--cni-arg") },
    publish: given(values.publish),
    publishAll: values["publish-all"],
    expose: given(values.expose),
    addHosts: given(values["add-host"]),
    dns: given(values.dns),
    dnsSearch: given(values["dns-search"]),
    dnsOptions: given(values["dns-option"]),
    egress: given(values.egress),
  });
}

/** `NAME=VALUE` each; a name alone has no value. */
export function pairs(texts: readonly string[], what: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      const name = at < 0 ? text : text.slice(0, at);
      if (name === "") throw invalidArgument(`Cannot parse ${what} "${text}": its name is empty`);
      return [name, at < 0 ? "" : text.slice(at + 1)];
    }),
  );
}
