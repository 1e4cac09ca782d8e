import { isIP } from "node:net";
import type { DNSConfig } from "../gen/runtime/v1/pods_pb.ts";
import { refuse } from "../refuse.ts";

const maxWords = 64;

/** The file resolv.conf(5), with what is given and nothing of the host's; undefined for the host's where nothing is given. */
export function resolvConf(config: DNSConfig | undefined): string | undefined {
  if (config === undefined) return undefined;
  const { servers, searches, options } = config;
  if (servers.length + searches.length + options.length === 0) return undefined;
  check("servers", servers, "no address", (text) => isIP(text) !== 0);
  check("searches", searches, "no domain", (text) => /^(\.|[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,252})$/.test(text));
  check("options", options, "no option of resolv.conf(5)", (text) => /^[a-zA-Z0-9:_.-]{1,64}$/.test(text));
  return [
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}\n`]),
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}\n`]),
  ].join("");
}

/** A line feed in any of them would be another line of the file. */
function check(field: string, words: readonly string[], state: string, isGood: (text: string) => boolean): void {
  const name = `config.dns_config.${field}`;
  if (words.length > maxWords) refuse("make a pod sandbox", name, `has more than ${maxWords} entries`);
  const bad = words.findIndex((word) => !isGood(word));
  if (bad >= 0)
    refuse("make a pod sandbox", `${name}[${bad}]`, `${JSON.stringify(words[bad]?.slice(0, 80))} is ${state}`);
}
