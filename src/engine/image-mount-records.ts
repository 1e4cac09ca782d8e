/** The book of images that are mounted in directories of the host. */
import { alreadyExists } from "#errdefs";
import type { Database } from "#images";

export interface ImageMountRecord {
  /** Absolute, without links. */
  readonly target: string;
  /** The image as it was named. */
  readonly image: string;
  readonly imageId: string;
  readonly chainId: string;
  /** Of the writable layer; empty for a read-only mount. */
  readonly snapshot: string;
  /** The kernel's id of the boot that it was mounted in: later it is not mounted any more. */
  readonly boot: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

const schema: readonly string[] = [
  `CREATE TABLE image_mounts (
     target TEXT PRIMARY KEY,
     image TEXT NOT NULL,
     image_id TEXT NOT NULL,
     chain_id TEXT NOT NULL,
     snapshot TEXT NOT NULL,
     boot TEXT NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;`,
];

export class ImageMountRecords {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.migrate("image-mounts", schema);
  }

  /** @throws SampanError `already-exists` when an image is mounted there */
  insert(record: ImageMountRecord): void {
    const { target, image, imageId, chainId, snapshot, boot, createdAt } = record;
    const { changes } = this.#database
      .prepare("INSERT OR IGNORE INTO image_mounts VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(target, image, imageId, chainId, snapshot, boot, createdAt);
    if (Number(changes) === 0)
      throw alreadyExists(`Cannot mount on "${target}": an image is mounted there`, {
        path: target,
        remedy: "Unmount it first, with sampan image unmount",
      });
  }

  delete(target: string): void {
    this.#database.prepare("DELETE FROM image_mounts WHERE target = ?").run(target);
  }

  list(): readonly ImageMountRecord[] {
    return this.#database
      .prepare("SELECT * FROM image_mounts ORDER BY target")
      .all()
      .map((row) => ({
        target: row["target"] as string,
        image: row["image"] as string,
        imageId: row["image_id"] as string,
        chainId: row["chain_id"] as string,
        snapshot: row["snapshot"] as string,
        boot: row["boot"] as string,
        createdAt: Number(row["created_at"]),
      }));
  }

  /** Directories on which an image (by its id), or a snapshot (by its chain id), is mounted. */
  usersOf(imageIdOrChainId: string): readonly string[] {
    return this.#database
      .prepare("SELECT target FROM image_mounts WHERE image_id = ?1 OR chain_id = ?1")
      .all(imageIdOrChainId)
      .map((row) => row["target"] as string);
  }
}
