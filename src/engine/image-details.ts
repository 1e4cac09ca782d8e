/** What `inspect` and `images` show of an image. */
import { formatPlatform, formatReference, parseReference, repositoryName, familiarRepository } from "#spec";
import type { ResolvedImage } from "#images";

/**
 * An image in Docker's shape.
 *
 * @param names all of its names; the one that it was found by when not given
 */
export function inspectImage(
  image: ResolvedImage,
  names: readonly string[] = image.name.startsWith("sha256:") ? [] : [image.name],
): object {
  const { config } = image.config;
  const references = names.map((name) => parseReference(name));
  return {
    Id: image.id,
    RepoTags: references.filter(({ tag }) => tag !== undefined).map(formatReference),
    RepoDigests: [...new Set(references.map((reference) => `${repositoryName(reference)}@${image.target}`))],
    Created: image.config.created ?? "",
    Architecture: image.platform.architecture,
    Variant: image.platform.variant ?? "",
    Os: image.platform.os,
    Platform: formatPlatform(image.platform),
    Config: {
      User: config.user,
      Env: config.env,
      Entrypoint: config.entrypoint ?? null,
      Cmd: config.cmd ?? null,
      Volumes: Object.fromEntries(config.volumes.map((v) => [v, {}])),
      WorkingDir: config.workingDir,
      ExposedPorts: Object.fromEntries(config.exposedPorts.map((p) => [p, {}])),
      Labels: Object.fromEntries(config.labels),
      StopSignal: config.stopSignal,
    },
    RootFS: { Type: "layers", Layers: image.config.diffIds },
    Descriptor: { digest: image.target, manifest: image.manifest },
  };
}

/** Repository and tag as people write them; `<none>` for what an image doesn't have. */
export function splitName(name: string | undefined): { readonly repository: string; readonly tag: string } {
  if (name === undefined || name.startsWith("sha256:")) return { repository: "<none>", tag: "<none>" };
  const reference = parseReference(name);
  return { repository: familiarRepository(reference), tag: reference.tag ?? "<none>" };
}
