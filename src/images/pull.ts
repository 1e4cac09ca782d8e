import { cancelled, isSampanError } from "#errdefs";
import type { Registry } from "#remotes";
import { familiarName, type Digest, type Platform, type Reference } from "#spec";
import { recordName, type ResolvedImage } from "./image-store.ts";
import { installAllPlatforms } from "./install-all.ts";
import { deleteKeys } from "./garbage.ts";
import { installImage } from "./install.ts";
import { Lease, type Key } from "./leases.ts";
import type { OnProgress } from "./progress.ts";
import type { RemoveTools } from "./remove.ts";
import { registryReader } from "./transfer/registry.ts";
import { Unflushed } from "./unflushed.ts";
import type { UnpackTools } from "./unpack.ts";

export type PullTools = UnpackTools & RemoveTools & { readonly registry: Registry };

export interface PullRequest {
  readonly reference: Reference;
  /** Undefined for this machine's, where an image for another one is taken when it is the only one. */
  readonly platform: Platform | undefined;
  /** All platforms of an index, instead of one. */
  readonly allPlatforms: boolean;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

export interface PulledImage extends ResolvedImage {
  /** False when the name stood for the same already, and all of it was there. */
  readonly changed: boolean;
}

/**
 * Fetches an image and unpacks it. When it fails, nothing of it is visible; what came whole and verified stays for a next
 * try when the failure was the network's or the user's (`unavailable`, `cancelled`), and goes otherwise.
 */
export async function pullImage(request: PullRequest, tools: PullTools): Promise<PulledImage> {
  const { reference, signal } = request;
  const { registry, store } = tools;
  const name = recordName(reference);
  const target = await registry.resolve(reference, { signal });
  const current = request.allPlatforms ? undefined : store.current(name, target.digest, request.platform);
  if (current !== undefined && (await isWhole(current, tools))) return { ...current, changed: false };
  // What pulls that were killed had half unpacked goes before there is more.
  await tools.snapshotter.cleanup();
  const unflushed = Unflushed.begin(tools);
  using lease = new Lease(tools.database);
  const made: Key[] = [];
  try {
    const context = {
      request: {
        names: [name],
        shown: familiarName(reference),
        verb: "pull",
        status: "pulling" as const,
        platform: request.platform,
        onProgress: request.onProgress,
        signal,
      },
      tools: { ...tools, unflushed },
      reader: registryReader(registry, reference),
      lease,
      made,
    };
    const image = await (request.allPlatforms ? installAllPlatforms : installImage)(context, target);
    return { ...image, changed: !request.allPlatforms || made.length > 0 };
  } catch (error) {
    const transient = isSampanError(error, "unavailable") || isSampanError(error, "cancelled") || signal.aborted;
    const unwanted = made.filter((key) => !transient || key.startsWith("snapshot:"));
    // First what needs no note in the database: on a full disk none could be made.
    for (const key of unwanted) if (!key.startsWith("snapshot:")) tools.content.forgetIngests(key as Digest);
    await deleteKeys(lease.claim(unwanted.toReversed()), tools);
    if (signal.aborted && !isSampanError(error)) {
      throw cancelled(`Cannot pull "${familiarName(reference)}": it was cancelled`, { cause: error });
    }
    throw error;
  } finally {
    await unflushed?.settle();
  }
}

/** Whether all of an image is still there; what has been lost of it comes again then. */
async function isWhole(image: ResolvedImage, { content, snapshotter }: PullTools): Promise<boolean> {
  if (![image.target, image.manifest, image.id].every((digest) => content.has(digest))) return false;
  for (const layer of image.layers) if (!(await snapshotter.has(layer))) return false;
  return true;
}
