/** Where hosts files and certificates are: one directory for each registry, as containerd and Docker have them. */
import { X509Certificate } from "node:crypto";
import type { Stats } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import { invalidArgument } from "#errdefs";
import type { HostEntry } from "./hosts-file.ts";

/** Certificates of a host, read. An object stands for itself: connections are shared by those that have the same one. */
export interface Trust {
  /** Authorities in PEM, beside the usual ones. */
  readonly ca: readonly string[];
  /** In PEM, to show when the host asks who we are. */
  readonly client: readonly { readonly cert: string; readonly key: string }[];
}

export interface HostConfig extends Omit<HostEntry, "ca" | "client"> {
  /** Undefined where no certificates are configured. */
  readonly trust: Trust | undefined;
}

const maxFile = 1024 * 1024;
const maxFiles = 1000;

/**
 * Directories that are looked through for a registry's own: Sampan's first, then containerd's, and Docker's for its
 * certificates.
 */
const defaultHostsDirectories: readonly string[] = [
  "/etc/sampan/certs.d",
  "/etc/containerd/certs.d",
  "/etc/docker/certs.d",
];

/** `SAMPAN_HOSTS_DIR`, several of them with colons between, or the usual ones. */
export function hostsDirectories(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  const given = environment["SAMPAN_HOSTS_DIR"];
  return given === undefined || given === "" ? defaultHostsDirectories : given.split(":").filter((path) => path !== "");
}

/**
 * Reads what is configured for a registry: of the first directory that has something for it, else of the first that has
 * something for all (`_default`). That is a `hosts.toml`, or else certificates as Docker has them: `NAME.crt` are
 * authorities, `NAME.cert` with `NAME.key` are shown to the registry.
 *
 * @param domain `host[:port]`
 * @returns undefined where nothing is configured
 * @throws SampanError `invalid-argument` that names the file, and what of it can't be used
 */
export async function readHosts(
  domain: string,
  directories: readonly string[],
): Promise<readonly HostConfig[] | undefined> {
  const directory = await findDirectory(domain, directories);
  if (directory === undefined) return undefined;
  const path = join(directory, "hosts.toml");
  const text = await readIfThere(path);
  if (text === undefined || text === "") return [await certificatesOnly(directory)];
  const { parseHostsFile } = await import("./hosts-file.ts");
  return await Promise.all(parseHostsFile(text, path).map(async (entry) => await withTrust(entry, directory)));
}

async function findDirectory(domain: string, directories: readonly string[]): Promise<string | undefined> {
  // The parser of references sees to it too: what comes from outside must not lead elsewhere.
  if (domain.includes("/") || domain.startsWith(".") || domain.includes("\0")) return undefined;
  const names = [domain.replace(/^(.+):(\d+)$/, "$1_$2_"), domain];
  const candidates = [
    ...directories.flatMap((directory) => names.map((name) => join(directory, name))),
    ...directories.map((directory) => join(directory, "_default")),
  ];
  for (const candidate of candidates) if ((await facts(candidate))?.isDirectory() === true) return candidate;
  return undefined;
}

async function facts(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, "it can't be looked at", error);
  }
}

/** A file of bounded size, and no pipe or device that never ends. */
async function readIfThere(path: string): Promise<string | undefined> {
  const found = await facts(path);
  if (found === undefined) return undefined;
  if (!found.isFile()) throw unreadable(path, "it is no file");
  if (found.size > maxFile) throw unreadable(path, `it has ${found.size} bytes, at most ${maxFile} are allowed`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw unreadable(path, error instanceof TypeError ? "it is not UTF-8" : "it can't be read", error);
  }
}

function unreadable(path: string, state: string, cause?: unknown): Error {
  return invalidArgument(`Cannot read "${path}": ${state}`, { path, cause });
}

async function certificatesOnly(directory: string): Promise<HostConfig> {
  const names = (await readdir(directory)).toSorted();
  if (names.length > maxFiles) throw unreadable(directory, `it has more than ${maxFiles} files`);
  const entry: HostEntry = {
    origin: undefined,
    capabilities: undefined,
    ca: names.filter((name) => name.endsWith(".crt")),
    client: names
      .filter((name) => name.endsWith(".cert"))
      .map((cert) => {
        const key = `${basename(cert, ".cert")}.key`;
        return { cert, key: names.includes(key) ? key : undefined };
      }),
    skipVerify: undefined,
    headers: new Map(),
    dialTimeout: undefined,
  };
  return await withTrust(entry, directory);
}

async function withTrust({ ca, client, ...entry }: HostEntry, directory: string): Promise<HostConfig> {
  if (ca.length === 0 && client.length === 0) return { ...entry, trust: undefined };
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(directory, path));
  return {
    ...entry,
    trust: {
      ca: await Promise.all(ca.map(async (path) => await readAuthority(absolute(path)))),
      client: await Promise.all(
        client.map(async ({ cert, key }) => await readPair(absolute(cert), absolute(key ?? cert))),
      ),
    },
  };
}

async function readPem(path: string): Promise<string> {
  const text = await readIfThere(path);
  if (text === undefined) throw unreadable(path, "it does not exist");
  return text;
}

async function readAuthority(path: string): Promise<string> {
  const text = await readPem(path);
  const found = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g);
  if (found === null) throw unreadable(path, "it has no certificate in PEM");
  for (const [index, one] of found.entries()) {
    try {
      void new X509Certificate(one);
    } catch (error) {
      throw unreadable(path, `its certificate number ${index + 1} is damaged`, error);
    }
  }
  return found.join("\n");
}

async function readPair(certPath: string, keyPath: string): Promise<{ cert: string; key: string }> {
  const cert = await readPem(certPath);
  const key = keyPath === certPath ? cert : await readPem(keyPath);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) {
    const state = keyPath === certPath ? `there is no "${keyPath.replace(/\.cert$/, "")}.key"` : "it has no key in PEM";
    throw unreadable(keyPath, keyPath === certPath ? `it has no private key, and ${state}` : state);
  }
  const { createSecureContext } = await import("node:tls");
  try {
    void createSecureContext({ cert, key });
  } catch (error) {
    throw unreadable(certPath, `it is no certificate of the key in "${keyPath}"`, error);
  }
  return { cert, key };
}
