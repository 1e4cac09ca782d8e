import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { invalidArgument } from "#errdefs";

export type Credentials =
  | { readonly username: string; readonly password: string }
  /** OAuth 2 refresh token, as `docker login` keeps for some registries. */
  | { readonly identityToken: string }
  /** Bearer token that the registry takes as it is. */
  | { readonly registryToken: string };

/** Gives the credentials for a registry (`host[:port]`), or undefined to be anonymous. */
export type CredentialSource = (domain: string) => Credentials | undefined | Promise<Credentials | undefined>;

const maxFile = 1024 * 1024;

/** What of the file counts here. */
interface Config {
  readonly modified: number;
  readonly auths: ReadonlyMap<string, Credentials>;
  readonly file: Readonly<Record<string, unknown>>;
}

/**
 * Credentials from a Docker client's configuration file, as `docker login` and `skopeo login` write it: by the helper that
 * it names for a registry (`credHelpers`, `credsStore`), or from its `auths`. It is read on the first question, again when
 * it changed, and a missing file has none. A helper is asked once for each registry.
 *
 * @param path by default `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`
 */
export function dockerCredentials(path: string = defaultPath()): CredentialSource {
  let cached: Config | undefined;
  let helped = new Map<string, Promise<Credentials | undefined>>();
  return async (domain) => {
    const facts = await stat(path).catch(() => undefined);
    if (facts === undefined || !facts.isFile()) return undefined;
    if (cached?.modified !== facts.mtimeMs) {
      if (facts.size > maxFile) throw unreadable(path, `it has more than ${maxFile} bytes`);
      cached = { modified: facts.mtimeMs, ...parseFile(await readFile(path, "utf8"), path) };
      helped = new Map();
    }
    const { auths, file } = cached;
    const helper = helperOf(file, domain);
    if (helper !== undefined) {
      const known = helped.get(domain) ?? askHelper(helper, domain);
      helped.set(domain, known);
      const credentials = await known;
      if (credentials !== undefined) return credentials;
    }
    return serversOf(domain)
      .map((server) => auths.get(hostOf(server)))
      .find((credentials) => credentials !== undefined);
  };
}

async function askHelper(helper: string, domain: string): Promise<Credentials | undefined> {
  const { getFromHelper } = await import("./credential-helper.ts");
  for (const server of serversOf(domain)) {
    const credentials = await getFromHelper(helper, server);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

/** The helper that a configuration file names for a registry. */
export function helperOf(file: Readonly<Record<string, unknown>>, domain: string): string | undefined {
  const helpers = new Map(Object.entries(record(file["credHelpers"])));
  const named = [domain, ...serversOf(domain)].map((server) => helpers.get(server)).find((name) => name !== undefined);
  const helper = named ?? file["credsStore"];
  return typeof helper === "string" && helper !== "" ? helper : undefined;
}

/** Names under which a registry's credentials are kept, the usual one first. */
export function serversOf(domain: string): readonly string[] {
  return domain === "docker.io"
    ? ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"]
    : [domain];
}

export function defaultPath(): string {
  return join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "config.json");
}

export function unreadable(path: string, state: string, cause?: unknown): Error {
  return invalidArgument(`Cannot read credentials from "${path}": ${state}`, { path, cause });
}

function parseFile(text: string, path: string): Omit<Config, "modified"> {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, "it is not JSON", error);
  }
  const result = new Map<string, Credentials>();
  for (const [server, entry] of Object.entries(record(record(file)["auths"]))) {
    const credentials = parseEntry(record(entry), server, path);
    if (credentials !== undefined) result.set(hostOf(server), credentials);
  }
  return { auths: result, file: record(file) };
}

function parseEntry(entry: Record<string, unknown>, server: string, path: string): Credentials | undefined {
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  if (typeof registrytoken === "string" && registrytoken !== "") return { registryToken: registrytoken };
  if (typeof auth === "string" && auth !== "") {
    const decoded = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon < 1) throw unreadable(path, `auths["${server}"].auth is not base64 of user:password`);
    return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  if (typeof username === "string" && typeof password === "string" && username !== "") return { username, password };
  return undefined;
}

/** Keys are hosts, or URLs in old files. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
