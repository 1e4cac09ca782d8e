/** What a kubelet knows about the registry of an image. */
import { invalidArgument } from "#errdefs";
import type { Credentials } from "#remotes";
import type { AuthConfig } from "../gen/runtime/v1/images_pb.ts";

/** Docker Hub has several names for one registry. */
const dockerHub = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/**
 * Credentials for a registry, of the first kind that is given: a registry token, an identity token, a user name and password,
 * `auth`. Undefined without any, and where they are for another server than the image's: they never go there.
 *
 * @param domain of the image's name, `host[:port]`
 * @throws SampanError `invalid-argument` for an `auth` that can't be read; its text is not told
 */
export function pullCredentials(auth: AuthConfig | undefined, domain: string): Credentials | undefined {
  if (auth === undefined || !isFor(auth.serverAddress, domain)) return undefined;
  if (auth.registryToken !== "") return { registryToken: auth.registryToken };
  if (auth.identityToken !== "") return { identityToken: auth.identityToken };
  if (auth.username !== "") return { username: auth.username, password: auth.password };
  if (auth.auth === "") return undefined;
  const decoded = Buffer.from(auth.auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon < 1) throw invalidArgument("Cannot log in to the registry: auth.auth is not base64 of user:password");
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** A server is given as a host, with a scheme or without, or as a URL with a path. */
function isFor(server: string, domain: string): boolean {
  if (server === "") return true;
  const host = server.replace(/^[a-z]+:\/\//i, "").replace(/\/.*$/, "");
  return host === domain || (dockerHub.has(host) && dockerHub.has(domain));
}
