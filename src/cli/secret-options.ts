/** `--secret` and `--config`: files that the container has in memory. */
import { resolve } from "node:path";
import { parseInteger, type SecretOption } from "#engine";
import { invalidArgument } from "#errdefs";

/** Fields between commas; one in double quotes may have commas in it. */
export function splitFields(text: string): string[] {
  return [...text.matchAll(/(?:"([^"]*)"|([^,]*))(?:,|$)/g)]
    .filter(([all], i) => all !== "" || (i === 0 && text === ""))
    .map(([, quoted, plain]) => quoted ?? plain ?? "");
}

/** `FILE`, or `src=FILE` or `env=NAME`, with `id=`, `target=`, `uid=`, `gid=` and `mode=` in octal. */
export function parseSecret(text: string, what: "--secret" | "--config"): SecretOption {
  const fail = (problem: string): never => {
    throw invalidArgument(`Cannot parse ${what} "${text}": ${problem}`);
  };
  const fields = new Map<string, string>();
  for (const part of splitFields(text)) {
    const at = part.indexOf("=");
    const key = at < 0 ? "src" : part.slice(0, at);
    const name = aliases.get(key) ?? fail(`"${key}" is no field of it`);
    if (fields.has(name)) fail(`${name} is given twice`);
    fields.set(name, part.slice(at + 1));
  }
  const file = fields.get("src");
  const env = fields.get("env");
  if ((file === undefined) === (env === undefined)) fail("it needs either src=FILE or env=NAME");
  const name = fields.get("id") ?? env ?? file?.slice(file.lastIndexOf("/") + 1) ?? "";
  const given = fields.get("target") ?? name;
  const target = given.startsWith("/") ? given : `${what === "--secret" ? "/run/secrets" : ""}/${given}`;
  const mode = fields.get("mode");
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode)) fail("mode is not octal, such as 0400");
  const id = (key: string): number => parseInteger(fields.get(key) ?? "0", `${what} ${key}`, 0, 2 ** 32 - 2);
  return {
    name,
    target,
    source: env === undefined ? { file: resolve(file ?? "") } : { env },
    uid: id("uid"),
    gid: id("gid"),
    mode: mode === undefined ? 0o444 : Number.parseInt(mode, 8),
  };
}

const aliases: ReadonlyMap<string, string> = new Map([
  ["id", "id"],
  ["name", "id"],
  ["src", "src"],
  ["source", "src"],
  ["file", "src"],
  ["env", "env"],
  ["target", "target"],
  ["dst", "target"],
  ["uid", "uid"],
  ["gid", "gid"],
  ["mode", "mode"],
]);
