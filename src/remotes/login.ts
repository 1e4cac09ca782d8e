import { chmod, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { invalidArgument } from "#errdefs";
import { eraseFromHelper, storeInHelper } from "./credential-helper.ts";
import { defaultPath, helperOf, record, serversOf, unreadable } from "./credentials.ts";

/** Where credentials were stored. */
export type StoredIn = { readonly helper: string } | { readonly file: string };

/**
 * Keeps credentials for a registry as Docker does: by the helper that the file names, or in the file, readable by its owner
 * only.
 *
 * @param path by default `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`
 */
export async function storeCredentials(
  domain: string,
  credentials: { readonly username: string; readonly password: string },
  path: string = defaultPath(),
): Promise<StoredIn> {
  if (credentials.username === "" || credentials.username.includes(":")) {
    throw invalidArgument(`Cannot log in as "${credentials.username}": a user name is not empty and has no colon`);
  }
  const file = await readConfig(path);
  const helper = helperOf(file, domain);
  const [server = domain] = serversOf(domain);
  const auths = { ...record(file["auths"]) };
  if (helper !== undefined) {
    await storeInHelper(helper, server, credentials);
    auths[server] = {};
  } else {
    const auth = Buffer.from(`${credentials.username}:${credentials.password}`, "utf8").toString("base64");
    auths[server] = { auth };
  }
  await writeConfig(path, { ...file, auths });
  return helper === undefined ? { file: path } : { helper };
}

/**
 * Forgets what {@link storeCredentials} or `docker login` kept. Idempotent.
 *
 * @returns whether there was something
 */
export async function eraseCredentials(domain: string, path: string = defaultPath()): Promise<boolean> {
  const file = await readConfig(path);
  const helper = helperOf(file, domain);
  const auths = { ...record(file["auths"]) };
  let found = false;
  for (const server of serversOf(domain)) {
    if (helper !== undefined) await eraseFromHelper(helper, server);
    for (const key of [server, `https://${server}`, `http://${server}`]) {
      if (!Object.hasOwn(auths, key)) continue;
      delete auths[key];
      found = true;
    }
  }
  if (found) await writeConfig(path, { ...file, auths });
  return found;
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    return record(JSON.parse(text));
  } catch (error) {
    throw unreadable(path, "it is not JSON", error);
  }
}

/** Whoever reads it meanwhile sees the old file or the new one, and nobody else the passwords. */
async function writeConfig(path: string, content: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content, undefined, "\t")}\n`);
    await file.sync();
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
