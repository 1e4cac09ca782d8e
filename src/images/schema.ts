/**
 * Tables of the image store.
 *
 *     images           a name and the digest that it stands for (its target: a manifest or an index)
 *     image_platforms  what was unpacked of a target, one row a platform
 *     image_configs    configurations as text, so that starting a container reads one file
 *     image_keys       everything that a target needs: blobs, and snapshots as `snapshot:<chain id>`
 *     image_layers     size of each unpacked layer in bytes of its tar stream
 *     image_leases     keys that a process is using or removing, see leases.ts
 *     image_builtin    what a built-in image was made from
 *
 * A target without a name is a dangling image.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE images (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX images_digest ON images (digest);
  CREATE TABLE image_platforms (
    digest TEXT NOT NULL, platform TEXT NOT NULL, manifest TEXT NOT NULL, config TEXT NOT NULL,
    size INTEGER NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (digest, platform)
  ) STRICT;
  CREATE INDEX image_platforms_config ON image_platforms (config);
  CREATE TABLE image_configs (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE image_keys (
    digest TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (digest, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX image_keys_key ON image_keys (key);
  CREATE TABLE image_layers (chain_id TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT;
  CREATE TABLE image_leases (
    key TEXT NOT NULL, holder TEXT NOT NULL, removing INTEGER NOT NULL, PRIMARY KEY (key, holder)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE image_builtin (name TEXT PRIMARY KEY, identity TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
  `,
];
