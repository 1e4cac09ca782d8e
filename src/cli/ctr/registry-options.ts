/** How `images pull` and `push` reach a registry. */
import { invalidArgument } from "#errdefs";
import type { EngineOptions } from "#engine";
import type { Credentials } from "#remotes";
import { parseReference } from "#spec";

export const registryFlags = {
  "hosts-dir": { type: "string", value: "DIR", help: "where mirrors and certificates of registries are configured" },
  "plain-http": { type: "boolean", help: "a registry that speaks plain http" },
  "skip-verify": { type: "boolean", short: "k", help: "do not check the registry's certificate" },
  user: { type: "string", short: "u", value: "USER[:PASSWORD]", help: "for the registry" },
  refresh: { type: "string", value: "TOKEN", help: "refresh token for the registry's authorization server" },
} as const;

interface RegistryValues {
  readonly "hosts-dir": string | undefined;
  readonly "plain-http": boolean | undefined;
  readonly "skip-verify": boolean | undefined;
  readonly user: string | undefined;
  readonly refresh: string | undefined;
}

export async function registryOptions(values: RegistryValues, reference: string): Promise<EngineOptions> {
  const { domain } = parseReference(reference);
  const insecure = values["plain-http"] === true || values["skip-verify"] === true;
  const credentials = await credentialsOf(values);
  const directories = values["hosts-dir"];
  return {
    registry: {
      ...(directories !== undefined && { hostsDirectories: [directories] }),
      ...(insecure && { insecure: [domain] }),
      ...(credentials && { credentials: (host: string) => (host === domain ? credentials : undefined) }),
    },
  };
}

async function credentialsOf({ user, refresh }: RegistryValues): Promise<Credentials | undefined> {
  if (refresh !== undefined && refresh !== "") return { identityToken: refresh };
  if (user === undefined || user === "") return undefined;
  const [username = "", password] = user.split(/:(.*)/s, 2);
  if (username === "") throw invalidArgument('Cannot parse "--user": it begins with a colon');
  if (password !== undefined) return { username, password };
  const { prompt } = await import("../prompt.ts");
  return { username, password: await prompt("Password: ", true) };
}
