/** Images as the CRI has them: one for each id, with all the names of it. */
import { create } from "@bufbuild/protobuf";
import type { Images, ImageSummary, ResolvedImage } from "#images";
import { formatReference, parseReference, repositoryName } from "#spec";
import { ImageSchema, type Image } from "../gen/runtime/v1/images_pb.ts";

/**
 * @param wanted ids of those that are to be described; all without it
 * @returns as listed, the newest name first
 */
export async function describeImages(images: Images, wanted?: string): Promise<Image[]> {
  const list = images.list().filter(({ id }) => wanted === undefined || id === wanted);
  const described: Image[] = [];
  for (const [id, rows] of Map.groupBy(list, (row) => row.id)) {
    const image = await describeImage(images, id, rows);
    if (image !== undefined) described.push(image);
  }
  return described;
}

/** Undefined for one that is removed meanwhile. */
async function describeImage(images: Images, id: string, rows: readonly ImageSummary[]): Promise<Image | undefined> {
  const [first] = rows;
  if (first === undefined) return undefined;
  let resolved: ResolvedImage;
  try {
    resolved = images.resolve(first.name ?? id, first.platform);
  } catch {
    return undefined;
  }
  const tags: string[] = [];
  const digests = new Set<string>();
  for (const { name, target } of rows) {
    if (name === undefined) continue;
    const reference = parseReference(name);
    if (reference.tag !== undefined) tags.push(formatReference(reference));
    digests.add(`${repositoryName(reference)}@${target}`);
  }
  return create(ImageSchema, {
    id,
    repoTags: tags.toSorted(),
    repoDigests: [...digests].toSorted(),
    size: BigInt(first.size),
    ...user(resolved.config.config.user),
    spec: { image: id, annotations: { ...(await images.annotations(resolved)) } },
    pinned: rows.some(({ pinned }) => pinned),
  });
}

/** Of `USER`: a number is the uid, anything else a name. Neither without one: that is root. */
function user(text: string): { readonly uid?: { readonly value: bigint }; readonly username?: string } {
  const [name = ""] = text.split(":", 1);
  if (name === "") return {};
  // What does not fit is told as a name, so that nobody takes it for another number: no container is made of it.
  return /^\d{1,10}$/.test(name) && Number(name) < 2 ** 32 ? { uid: { value: BigInt(name) } } : { username: name };
}
