/** An OCI image layout on disk, as the tests' images are made in it: umoci makes layers, this does what umoci cannot. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, zstdCompressSync } from "node:zlib";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
}

interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const tagName = "org.opencontainers.image.ref.name";
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";

export class Layout {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async readBlob(digest: string): Promise<Buffer> {
    return await readFile(join(this.directory, "blobs", ...digest.split(":")));
  }

  async writeBlob(mediaType: string, data: Uint8Array): Promise<Descriptor> {
    const hex = createHash("sha256").update(data).digest("hex");
    await mkdir(join(this.directory, "blobs", "sha256"), { recursive: true });
    await writeFile(join(this.directory, "blobs", "sha256", hex), data);
    return { mediaType, digest: `sha256:${hex}`, size: data.length };
  }

  /** The descriptor behind a tag, without the tag's annotation. */
  async resolve(tag: string): Promise<Descriptor> {
    const found = (await this.#index()).manifests.find(({ annotations }) => annotations?.[tagName] === tag);
    if (found === undefined) throw new Error(`Cannot find "${tag}" in ${this.directory}`);
    const { mediaType, digest, size } = found;
    return { mediaType, digest, size };
  }

  async manifest(tag: string): Promise<Manifest> {
    return await this.#json<Manifest>(await this.resolve(tag));
  }

  async setTag(tag: string, descriptor: Descriptor): Promise<void> {
    const index = await this.#index();
    const others = index.manifests.filter(({ annotations }) => annotations?.[tagName] !== tag);
    const manifests = [...others, { ...descriptor, annotations: { [tagName]: tag } }];
    await writeFile(join(this.directory, "index.json"), JSON.stringify({ ...index, manifests }));
  }

  /** Makes `target` the same image as `tag`, its layers compressed otherwise. */
  async recompress(tag: string, target: string, compression: "zstd" | "none"): Promise<void> {
    const manifest = await this.manifest(tag);
    const layers: Descriptor[] = [];
    for (const layer of manifest.layers) {
      const tar = gunzipSync(await this.readBlob(layer.digest));
      const zstd = compression === "zstd";
      layers.push(await this.writeBlob(zstd ? `${layerType}+zstd` : layerType, zstd ? zstdCompressSync(tar) : tar));
    }
    await this.setTag(target, await this.#writeJson(manifestType, { ...manifest, mediaType: manifestType, layers }));
  }

  /** Makes `target` the same image as `tag` under another platform in its configuration. */
  async replatform(tag: string, target: string, architecture: string, variant?: string): Promise<void> {
    const manifest = await this.manifest(tag);
    const config = { ...(await this.#json<object>(manifest.config)), architecture, ...(variant && { variant }) };
    const written = await this.#writeJson(manifest.config.mediaType, config);
    const changed = { ...manifest, mediaType: manifestType, config: written };
    await this.setTag(target, await this.#writeJson(manifestType, changed));
  }

  /** Makes `target` the same image as `tag` with another time in its configuration: another image with the same layers. */
  async redate(tag: string, target: string, created: string): Promise<void> {
    const manifest = await this.manifest(tag);
    const config = { ...(await this.#json<object>(manifest.config)), created };
    const written = await this.#writeJson(manifest.config.mediaType, config);
    const changed = { ...manifest, mediaType: manifestType, config: written };
    await this.setTag(target, await this.#writeJson(manifestType, changed));
  }

  /** Makes `target` an index of the images behind `tags`, each under the platform of its configuration. */
  async makeIndex(target: string, tags: readonly string[]): Promise<void> {
    const manifests: Descriptor[] = [];
    for (const tag of tags) {
      type Platform = NonNullable<Descriptor["platform"]>;
      const { architecture, os, variant } = await this.#json<Platform>((await this.manifest(tag)).config);
      const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
      manifests.push({ ...(await this.resolve(tag)), platform });
    }
    const index: Index = { schemaVersion: 2, mediaType: indexType, manifests };
    await this.setTag(target, await this.#writeJson(indexType, index));
  }

  async #index(): Promise<Index> {
    return JSON.parse(await readFile(join(this.directory, "index.json"), "utf8")) as Index;
  }

  async #json<T>(descriptor: Descriptor): Promise<T> {
    return JSON.parse((await this.readBlob(descriptor.digest)).toString()) as T;
  }

  async #writeJson(mediaType: string, value: object): Promise<Descriptor> {
    return await this.writeBlob(mediaType, Buffer.from(JSON.stringify(value)));
  }
}
