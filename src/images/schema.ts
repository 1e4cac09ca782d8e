/**
 * Tables of the image store.
 *
 *     images           a name and the digest that it stands for (its target: a manifest or an index)
 *     image_platforms  what was unpacked of a target, one row a platform; `used` is when a container was last made of it
 *     image_configs    configurations as text, so that starting a container reads one file
 *     image_keys       everything that a target needs: blobs, and snapshots as `snapshot:<chain id>`
 *     image_layers     size of each unpacked layer in bytes of its tar stream
 *     image_leases     keys that a process is using or removing, or that a named lease keeps, see leases.ts
 *     image_lease_names  leases that no process holds, see named-leases.ts
 *     image_garbage    keys that nothing needs, and since when that is known (milliseconds since the epoch)
 *     image_usage      what a layer takes on disk, measured once
 *     image_builtin    what a built-in image was made from
 *
 * A target without a name is a dangling image. Names, platforms and needs are of a namespace; all else is shared.
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
  // 2: namespaces, garbage, named leases, pinned images
  `
  CREATE TABLE images_2 (
    namespace TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, pinned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (namespace, name)
  ) STRICT;
  INSERT INTO images_2 SELECT 'default', name, digest, media_type, size, created, updated, 0 FROM images;
  DROP TABLE images;
  ALTER TABLE images_2 RENAME TO images;
  CREATE INDEX images_digest ON images (digest);
  CREATE TABLE image_platforms_2 (
    namespace TEXT NOT NULL, digest TEXT NOT NULL, platform TEXT NOT NULL, manifest TEXT NOT NULL, config TEXT NOT NULL,
    size INTEGER NOT NULL, created TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (namespace, digest, platform)
  ) STRICT;
  INSERT INTO image_platforms_2 SELECT 'default', digest, platform, manifest, config, size, created, 0 FROM image_platforms;
  DROP TABLE image_platforms;
  ALTER TABLE image_platforms_2 RENAME TO image_platforms;
  CREATE INDEX image_platforms_config ON image_platforms (config);
  CREATE TABLE image_keys_2 (
    namespace TEXT NOT NULL, digest TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (namespace, digest, key)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO image_keys_2 SELECT 'default', digest, key FROM image_keys;
  DROP TABLE image_keys;
  ALTER TABLE image_keys_2 RENAME TO image_keys;
  CREATE INDEX image_keys_key ON image_keys (key);
  CREATE TABLE image_builtin_2 (
    namespace TEXT NOT NULL, name TEXT NOT NULL, identity TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
  ) STRICT;
  INSERT INTO image_builtin_2 SELECT 'default', name, identity, digest FROM image_builtin;
  DROP TABLE image_builtin;
  ALTER TABLE image_builtin_2 RENAME TO image_builtin;
  CREATE TABLE image_lease_names (
    namespace TEXT NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL, lifetime INTEGER, labels TEXT NOT NULL,
    PRIMARY KEY (namespace, id)
  ) STRICT;
  CREATE TABLE image_garbage (key TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE image_usage (key TEXT PRIMARY KEY, bytes INTEGER NOT NULL, inodes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
];
