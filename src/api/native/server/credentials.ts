import type { CredentialSource, Credentials } from "#remotes";
import { parseReference } from "#spec";
import type { Credentials as CredentialsMessage } from "../gen/sampan/v1/image_types_pb.ts";

/** What a client gave for the registry of an image, and for no other; undefined when it gave nothing. */
export function clientCredentials(
  reference: string,
  message: CredentialsMessage | undefined,
): { readonly credentials?: CredentialSource } {
  if (message === undefined) return {};
  const { username, password, identityToken, registryToken } = message;
  const given: Credentials =
    registryToken !== "" ? { registryToken } : identityToken !== "" ? { identityToken } : { username, password };
  const { domain } = parseReference(reference);
  return { credentials: (asked) => (asked === domain ? given : undefined) };
}
