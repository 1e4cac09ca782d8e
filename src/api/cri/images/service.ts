/** Images for the kubelet. */
import { invalidArgument, isSampanError } from "#errdefs";
import type { Images, ResolvedImage } from "#images";
import { formatReference, parseReference } from "#spec";
import type { CriContext } from "../context.ts";
import type { ImageSpec } from "../gen/runtime/v1/common_pb.ts";
import type { Image, ImageFilter } from "../gen/runtime/v1/images_pb.ts";
import { batches } from "../batches.ts";
import type { ImagePart } from "../service.ts";
import { pullCredentials } from "./credentials.ts";
import { describeImages } from "./describe.ts";
import { fileSystems } from "./file-systems.ts";
import { removeImage } from "./remove.ts";

export function imageService(context: CriContext): ImagePart {
  const { engine, pulls } = context;
  const images = engine.imageStore;

  const list = async (filter: ImageFilter | undefined): Promise<Image[]> => {
    const name = filter?.image?.image ?? "";
    if (name === "") return await describeImages(images);
    const found = findImage(images, name);
    return found === undefined ? [] : await describeImages(images, found.id);
  };

  return {
    async listImages({ filter }) {
      return { images: await list(filter) };
    },

    async *streamImages({ filter }) {
      for (const part of batches(await list(filter))) yield { images: part };
    },

    async imageStatus({ image, verbose }) {
      const name = nameOf(image, "look for");
      const found = findImage(images, name);
      const described = found === undefined ? [] : await describeImages(images, found.id);
      const [first] = described;
      const info: Record<string, string> = {};
      if (verbose) {
        const going = pulls.describe(canonicalName(name));
        if (going.length > 0) info["pull"] = JSON.stringify(going);
        if (found !== undefined && first !== undefined) info["info"] = details(images, found);
      }
      return { ...(first && { image: first }), info };
    },

    async pullImage({ image, auth }, { signal }) {
      const name = nameOf(image, "pull");
      const reference = parseReference(name);
      const credentials = pullCredentials(auth, reference.domain);
      return { imageRef: await pulls.pull(formatReference(reference), credentials, signal) };
    },

    async removeImage({ image }) {
      const name = nameOf(image, "remove");
      const found = findImage(images, name);
      if (found !== undefined) await removeImage(images, found.id);
      return {};
    },

    async imageFsInfo() {
      const { images: imageUsage, containers } = await fileSystems(context);
      return { imageFilesystems: [imageUsage], containerFilesystems: [containers] };
    },
  };
}

function nameOf(spec: ImageSpec | undefined, verb: string): string {
  const name = spec?.image ?? "";
  if (name === "") throw invalidArgument(`Cannot ${verb} an image: image.image is empty`);
  return name;
}

/** By name, id, or a beginning of an id; undefined when it is not here. */
function findImage(images: Images, name: string): ResolvedImage | undefined {
  try {
    return images.resolve(name);
  } catch (error) {
    if (isSampanError(error, "not-found")) return undefined;
    throw error;
  }
}

/** An id is nothing that is pulled. */
function canonicalName(name: string): string {
  return name.startsWith("sha256:") ? name : formatReference(parseReference(name));
}

/** As other runtimes have it: what `crictl inspecti` shows beside the image. */
function details(images: Images, { id, chainId, target, manifest }: ResolvedImage): string {
  const imageSpec = JSON.parse(images.configText(id)) as unknown;
  return JSON.stringify({ chainID: chainId ?? "", target, manifest, imageSpec });
}
