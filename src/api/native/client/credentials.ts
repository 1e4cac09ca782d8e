/** What this user has for an image's registry: the daemon may run as another one. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CredentialsSchema } from "../gen/sampan/v1/image_types_pb.ts";

export async function ownCredentials(
  reference: string,
): Promise<{ readonly credentials?: MessageInitShape<typeof CredentialsSchema> }> {
  const { dockerCredentials } = await import("#remotes");
  const { parseReference } = await import("#spec");
  const credentials = await dockerCredentials()(parseReference(reference).domain);
  return credentials === undefined ? {} : { credentials };
}
