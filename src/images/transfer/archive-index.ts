/** What images an archive has, by its own lists. */
import type { ContentStore, Expected } from "#content";
import { invalidArgument, isSampanError } from "#errdefs";
import {
  isDigest,
  maxLayers,
  mediaTypes,
  parseIndex,
  parseManifestDocument,
  parseReference,
  type Compression,
  type Descriptor,
  type Reference,
} from "#spec";
import type { ArchiveFiles } from "./archive-files.ts";

export interface ArchivedImage {
  readonly root: Descriptor;
  readonly names: readonly Reference[];
}

const maxImages = 1000;
const nameAnnotations = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
const dockerLayers: Readonly<Record<Compression, string>> = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.dockerLayerZstd,
};

/** One line of Docker's list. */
interface DockerEntry {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

/**
 * Reads the list of an OCI layout, or else Docker's. An archive that has both is read as a layout, as that keeps digests.
 *
 * @throws SampanError `invalid-argument` when it has neither, or one that can't be
 */
export async function listImages(files: ArchiveFiles, content: ContentStore): Promise<readonly ArchivedImage[]> {
  const docker = files.has("manifest.json") ? parseDockerList(await files.text("manifest.json")) : [];
  const images = files.has("index.json")
    ? await fromLayout(files, content, docker)
    : await Promise.all(docker.map((entry) => fromDocker(entry, files)));
  if (images.length > 0) return images;
  const old = files.has("repositories");
  throw invalidArgument(
    old ? "Cannot load the archive: it is from Docker before 1.10" : "Cannot load the archive: it has no images",
    { remedy: old ? "Save it with a current tool" : "Load what docker save, podman save or sampan save made" },
  );
}

async function fromLayout(
  files: ArchiveFiles,
  content: ContentStore,
  docker: readonly DockerEntry[],
): Promise<readonly ArchivedImage[]> {
  const { manifests } = parseIndex(await files.text("index.json"), mediaTypes.ociIndex);
  if (manifests.length > maxImages) throw tooMany(manifests.length);
  const images = new Map<string, { root: Descriptor; names: Reference[] }>();
  for (const listed of manifests) {
    const { mediaType, digest, size, annotations = {} } = listed;
    const path = `blobs/${digest.replace(":", "/")}`;
    // An index may list what is not in the archive.
    if (!files.has(path)) continue;
    const known = images.get(digest) ?? { root: { mediaType, digest, size }, names: [] };
    images.set(digest, known);
    const written = nameAnnotations.map((key) => annotations[key]).find((name) => name !== undefined && isName(name));
    if (written !== undefined) known.names.push(parseReference(written));
  }
  for (const image of images.values()) {
    if (image.names.length > 0) continue;
    const text = new TextDecoder().decode(await content.readBytes(image.root.digest, 4 * 1024 * 1024));
    const document = parseManifestDocument(text, image.root.mediaType);
    if (document.kind === "index") continue;
    const config = `blobs/${document.manifest.config.digest.replace(":", "/")}`;
    image.names.push(...docker.filter((entry) => entry.config === config).flatMap(namesOf));
  }
  return [...images.values()];
}

/** Whether a name is whole; a tag alone says nothing of the repository. */
function isName(text: string): boolean {
  if (!/[/:]/.test(text)) return false;
  try {
    return parseReference(text).digest === undefined;
  } catch (error) {
    if (isSampanError(error)) return false;
    throw error;
  }
}

/** Makes the manifest that Docker's archive does not have: of its configuration and its layers as they are there. */
async function fromDocker(entry: DockerEntry, files: ArchiveFiles): Promise<ArchivedImage> {
  const config = files.file(entry.config);
  const named = /^([0-9a-f]{64})\.json$/.exec(entry.config)?.[1];
  if (named !== undefined && `sha256:${named}` !== config.digest && isDigest(`sha256:${named}`)) {
    throw invalidArgument(`Cannot load the archive: "${entry.config}" has digest ${config.digest}`);
  }
  const layers = entry.layers.map((path) => {
    const { digest, size, compression } = files.file(path);
    return { mediaType: dockerLayers[compression], digest, size };
  });
  const mediaType = mediaTypes.dockerManifest;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: mediaTypes.dockerConfig, digest: config.digest, size: config.size },
      layers,
    }),
  );
  const once = async function* once(): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const stored: Expected = await files.add(once());
  return { root: { mediaType, ...stored }, names: namesOf(entry) };
}

function namesOf({ names }: DockerEntry): readonly Reference[] {
  return names.map((name) => parseReference(name));
}

function parseDockerList(text: string): readonly DockerEntry[] {
  const fail = (state: string): never => {
    throw invalidArgument(`Cannot load the archive: its manifest.json ${state}`);
  };
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    fail("is not JSON");
  }
  if (!Array.isArray(list)) return fail("is no list");
  if (list.length > maxImages) throw tooMany(list.length);
  return list.map((item: unknown, index): DockerEntry => {
    const { Config, RepoTags, Layers } = (item ?? {}) as Record<string, unknown>;
    const strings = (value: unknown, name: string, limit: number): readonly string[] => {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value) || value.length > limit || !value.every((one) => typeof one === "string"))
        return fail(`has no list of at most ${limit} texts at [${index}].${name}`);
      return value;
    };
    if (typeof Config !== "string") return fail(`has no text at [${index}].Config`);
    return {
      config: Config,
      names: strings(RepoTags, "RepoTags", maxImages),
      layers: strings(Layers, "Layers", maxLayers),
    };
  });
}

function tooMany(count: number): Error {
  return invalidArgument(`Cannot load the archive: it has ${count} images, at most ${maxImages} are allowed`);
}
