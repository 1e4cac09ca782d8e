import type { ContentStore } from "#content";
import type { Registry } from "#remotes";
import { familiarName, parseReference, type Digest, type Platform, type Reference } from "#spec";
import type { Database } from "./database.ts";
import type { ImageStore } from "./image-store.ts";
import { Lease } from "./leases.ts";
import { holdImage } from "./hold-image.ts";
import type { OnProgress } from "./progress.ts";
import { registryWriter } from "./transfer/registry.ts";
import { chooseRoot } from "./transfer/root.ts";
import { storeReader } from "./transfer/store.ts";
import { transferImage } from "./transfer/transfer.ts";

export interface PushTools {
  readonly database: Database;
  readonly store: ImageStore;
  readonly content: ContentStore;
  readonly registry: Registry;
}

export interface PushRequest {
  readonly reference: Reference;
  /** Only the manifest of this platform. */
  readonly platform: Platform | undefined;
  /** The whole index, also where not all of its platforms are here. */
  readonly allPlatforms: boolean;
  /** Also what refers to it where it came from. */
  readonly referrers: boolean;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

export interface PushedImage {
  /** As people write it. */
  readonly name: string;
  /** What the name stands for in the registry now. */
  readonly digest: Digest;
  /** Only one platform's manifest was pushed of an index. */
  readonly isPart: boolean;
}

/** Gives an image to the registry that its name says, byte for byte as it was pulled or made. */
export async function pushImage(request: PushRequest, tools: PushTools): Promise<PushedImage> {
  const { reference, platform, allPlatforms, referrers, onProgress, signal } = request;
  const { content, database, registry, store } = tools;
  const shown = familiarName(reference);
  const action = `Cannot push "${shown}"`;
  using lease = new Lease(database);
  const image = await holdImage(lease, store, () => store.resolve(shown, platform), signal);
  const root = await chooseRoot(image, content, { one: platform !== undefined, whole: allPlatforms });
  const reader = storeReader(store.names(image.target), action, { content, store, registry, lease });
  const writer = registryWriter(registry, reference, ({ digest }) => siblings(digest, reference, store));
  await transferImage(reader, writer, root.descriptor, { action, onProgress, signal, status: "pushing", referrers });
  return { name: shown, digest: root.descriptor.digest, isPart: root.isPart };
}

/** Repositories of the same registry that a blob came from or went to. */
function siblings(digest: Digest, { domain, path }: Reference, store: ImageStore): readonly string[] {
  const others = store.namesWith(digest).map((name) => parseReference(name));
  return [...new Set(others.filter((other) => other.domain === domain && other.path !== path).map((o) => o.path))];
}
