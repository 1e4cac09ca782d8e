import { setTimeout as sleep } from "node:timers/promises";
import { statSync } from "node:fs";
import { notFound } from "#errdefs";
import type { Expected } from "#content";
import { mediaTypes, parseImageConfig, parseManifest, type Descriptor } from "#spec";
import type { Database } from "../database.ts";
import { hostPlatform, snapshotKey } from "../image-store.ts";
import { Lease } from "../leases.ts";
import { removeDangling, type RemoveTools } from "../remove.ts";
import { planLayers, unpackLayers, type UnpackTools } from "../unpack.ts";
import { nodeImage, pinnedNode, type BuiltinImage } from "./node-image.ts";
import { writeTar } from "./tar-writer.ts";

/** Names of the images that are made here. */
const builtinNames: ReadonlySet<string> = new Set(["localhost/node:latest"]);
const pollInterval = 50;

export function isBuiltin(name: string): boolean {
  return builtinNames.has(name);
}

/** Whether a built-in image is there and made from what the host has now; a few `stat` calls. */
export function isBuiltinCurrent(name: string, database: Database, namespace: string): boolean {
  const row = database
    .prepare(
      `SELECT b.identity FROM image_builtin b JOIN images i ON i.namespace = b.namespace AND i.name = b.name
      AND i.digest = b.digest WHERE b.namespace = ? AND b.name = ?`,
    )
    .get(namespace, name);
  if (row === undefined) return false;
  const identity = JSON.parse(row["identity"] as string) as readonly string[];
  const paths = identity.map((line) => line.slice(line.lastIndexOf(" ") + 1));
  return paths[0] === pinnedNode().path && identity.every((line, index) => line === identify(paths[index] ?? ""));
}

function identify(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false });
  return `${facts?.size ?? 0} ${facts?.mtimeMs ?? 0} ${path}`;
}

/**
 * Makes a built-in image as a real OCI image in the content store, and unpacks it like any other. Does nothing when it is
 * current; when another process makes it, waits for that.
 *
 * @param name canonical name
 * @throws SampanError `not-found` when there is no such built-in image, or a library of the program is missing
 */
export async function ensureBuiltin(
  name: string,
  tools: UnpackTools & RemoveTools,
  signal: AbortSignal,
): Promise<void> {
  if (!isBuiltin(name)) throw notFound(`Cannot make image "${name}": there is no built-in image of this name`);
  const { database, store } = tools;
  using lock = new Lease(database);
  while (lock.claim([`builtin:${name}`]).length === 0) await sleep(pollInterval, undefined, { signal });
  if (isBuiltinCurrent(name, database, store.namespace)) return;
  const node = pinnedNode();
  const image = nodeImage(node.path, node.version);
  const identity = JSON.stringify(image.sources.map(identify));
  await build(name, image, identity, tools, signal);
}

async function build(
  name: string,
  image: BuiltinImage,
  identity: string,
  tools: UnpackTools & RemoveTools,
  signal: AbortSignal,
): Promise<void> {
  const { database, content, store } = tools;
  using lease = new Lease(database);
  const add = async (mediaType: string, make: () => AsyncIterable<Uint8Array>): Promise<Descriptor> => {
    const hold = async (digest: string): Promise<void> => await lease.use([digest], signal);
    const { digest, size }: Expected = await content.add(make(), hold);
    return { mediaType, digest, size };
  };
  const layer = await add(mediaTypes.ociLayer, () => writeTar(image.entries, image.modified));
  const { os, architecture } = hostPlatform();
  const configText = JSON.stringify({
    created: new Date(image.modified * 1000).toISOString(),
    architecture,
    os,
    config: image.config,
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const config = await add(mediaTypes.ociConfig, () => bytesOf(configText));
  const manifestText = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [layer],
  });
  const target = await add(mediaTypes.ociManifest, () => bytesOf(manifestText));

  const layers = planLayers(name, parseManifest(manifestText), parseImageConfig(configText), tools.limits);
  await lease.use(
    layers.map(({ chainId }) => snapshotKey(chainId)),
    signal,
  );
  await unpackLayers(
    layers,
    tools,
    ({ digest }) =>
      () =>
        content.openRead(digest),
    {
      signal,
      onLayer: (chainId, size) => store.setLayerSize(chainId, size),
    },
  );
  const before = store.targetOf(name);
  database.transaction(() => {
    store.put({
      names: [name],
      target,
      manifest: target.digest,
      configDigest: config.digest,
      configText,
      keys: [
        ...[layer, config, target].map(({ digest }) => digest),
        ...layers.map(({ chainId }) => snapshotKey(chainId)),
      ],
      now: Date.now(),
    });
    database
      .prepare("INSERT OR REPLACE INTO image_builtin (namespace, name, identity, digest) VALUES (?, ?, ?, ?)")
      .run(store.namespace, name, identity, target.digest);
  });
  if (before !== undefined && before !== target.digest) await removeDangling(before, tools);
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
