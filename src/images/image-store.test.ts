import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mediaTypes, parsePlatform, type Digest } from "#spec";
import { openDatabase, type Database } from "./database.ts";
import { hostPlatform, ImageStore, type ImageRecord } from "./image-store.ts";
import { migrations } from "./schema.ts";

let directory = "";
let database: Database;
let store: ImageStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-store-"));
  database = openDatabase(join(directory, "metadata.db"));
  store = new ImageStore(database);
});
afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const id = (prefix: string): Digest => `sha256:${prefix.padEnd(64, "0")}` as Digest;
const host = hostPlatform();
const otherArchitecture = host.architecture === "arm64" ? "amd64" : "arm64";

interface Options {
  readonly target?: Digest;
  readonly config?: Digest;
  readonly architecture?: string;
  readonly diffIds?: readonly Digest[];
  readonly keys?: readonly string[];
  readonly now?: number;
}

function record(name: string, options: Options = {}): ImageRecord {
  const { target = id("a1"), config = id("c1"), diffIds = [id("d1"), id("d2")], now = 1000 } = options;
  return {
    names: [`docker.io/library/${name}`],
    target: { mediaType: mediaTypes.ociManifest, digest: target, size: 7 },
    manifest: target,
    configDigest: config,
    configText: JSON.stringify({
      os: "linux",
      architecture: options.architecture ?? host.architecture,
      created: "2024-01-01T00:00:00Z",
      config: { Cmd: ["sh"] },
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
    keys: options.keys ?? [target, config],
    now,
  };
}

describe("ImageStore.resolve", () => {
  test("gives all that a container needs, by name, id and beginning of the id", () => {
    store.put(record("app:1"));
    const image = store.resolve("app:1");
    expect(image).toEqual({
      name: "docker.io/library/app:1",
      id: id("c1"),
      target: id("a1"),
      manifest: id("a1"),
      platform: host,
      config: {
        platform: host,
        created: "2024-01-01T00:00:00Z",
        config: {
          user: "",
          exposedPorts: [],
          env: [],
          cmd: ["sh"],
          volumes: [],
          workingDir: "",
          labels: new Map(),
          stopSignal: "",
        },
        diffIds: [id("d1"), id("d2")],
      },
      // printf '%s %s' sha256:d1000… sha256:d2000… | sha256sum
      layers: [id("d1"), image.chainId],
      chainId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    for (const name of ["docker.io/library/app:1", `app@${id("a1")}`]) expect(store.resolve(name)).toEqual(image);
    for (const name of ["c1", "sha256:c1", id("c1"), id("c1").slice(7)]) {
      expect(store.resolve(name)).toEqual({ ...image, name: id("c1") });
    }
  });

  test("prefers a name to an id", () => {
    store.put(record("c1:latest"));
    expect(store.resolve("c1").name).toBe("docker.io/library/c1:latest");
  });

  test("refuses the beginning of several ids, and names nothing that is not there", () => {
    store.put(record("one:1", { target: id("a1"), config: id("c1") }));
    store.put(record("two:1", { target: id("a2"), config: id("c2") }));
    expect(() => store.resolve("c")).toThrow(
      expect.objectContaining({
        code: "failed-precondition",
        message: 'Cannot find image "c": the ids of 2 images begin like that',
      }),
    );
    for (const name of ["three", "ff", `one@${id("a2")}`]) {
      expect(() => store.resolve(name)).toThrow(
        expect.objectContaining({
          code: "not-found",
          message: `Cannot find image "${name}": it is not on this machine`,
          fields: { path: name, remedy: "Pull it first" },
        }),
      );
    }
    expect(() => store.resolve("One")).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  test("chooses the platform: the one asked for, this machine's, or the only one", () => {
    const other = { target: id("a1"), config: id("c2"), architecture: otherArchitecture };
    const foreign = parsePlatform(otherArchitecture);
    store.put(record("app:1", other));
    expect(store.resolve("app:1").id).toBe(id("c2"));
    store.put(record("app:1"));
    expect(store.resolve("app:1").id).toBe(id("c1"));
    expect(store.resolve("app:1", foreign).id).toBe(id("c2"));
    expect(() => store.resolve("app:1", parsePlatform("s390x"))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/it is here for .*, not for linux\/s390x$/) }),
    );
    expect(store.current("docker.io/library/app:1", id("a1"), undefined)).toStrictEqual(
      store.resolve("docker.io/library/app:1"),
    );
    expect(store.current("docker.io/library/app:1", id("a1"), parsePlatform("s390x"))).toBeUndefined();
    expect(store.current("docker.io/library/app:1", id("a9"), undefined)).toBeUndefined();
  });
});

test("ImageStore.put() leaves what the name stood for before dangling", () => {
  store.setLayerSize(id("d1"), 10);
  store.put(record("app:1", { diffIds: [id("d1")] }));
  store.put(record("app:1", { target: id("a2"), config: id("c2"), diffIds: [], now: 2000 }));
  store.tag("localhost/copy:1", store.resolve("app:1"), 3000);
  const summary = { platform: `linux/${host.architecture}`, created: "2024-01-01T00:00:00Z", pinned: false };
  expect(store.list()).toEqual([
    { name: "localhost/copy:1", id: id("c2"), target: id("a2"), size: 0, used: 3000, ...summary },
    { name: "docker.io/library/app:1", id: id("c2"), target: id("a2"), size: 0, used: 2000, ...summary },
    { name: undefined, id: id("c1"), target: id("a1"), size: 10, used: 1000, ...summary },
  ]);
  expect(store.resolve("app:1").chainId).toBeUndefined();
  expect(store.names(id("a2"))).toEqual(["docker.io/library/app:1", "localhost/copy:1"]);
});

test("ImageStore.forget() gives the keys of a target, its top snapshots first", () => {
  store.put(record("app:1", { keys: [id("a1"), id("c1"), `snapshot:${id("d1")}`] }));
  const [, top] = store.resolve("app:1").layers;
  store.untag("docker.io/library/app:1");
  expect(store.idsAndTopLayers(id("a1"))).toEqual([id("c1"), top]);
  expect(store.forget(id("a1"))).toEqual([`snapshot:${top}`, `snapshot:${id("d1")}`, id("a1"), id("c1")]);
  expect(store.list()).toEqual([]);
  expect(store.isNeeded(id("a1"))).toBe(false);
});

describe("namespaces", () => {
  test("have names and dangling images of their own, and keep what both need", () => {
    const other = new ImageStore(database, "other");
    store.put(record("app:1", { keys: [id("a1"), id("c1")] }));
    expect(other.list()).toEqual([]);
    expect(() => other.resolve("c1")).toThrow(expect.objectContaining({ code: "not-found" }));
    other.put(record("app:1", { keys: [id("a1"), id("c1")] }));
    other.tag("localhost/mine:1", other.resolve("app:1"), 2000);
    expect(store.names(id("a1"))).toEqual(["docker.io/library/app:1"]);
    expect(store.namesWith(id("c1"))).toEqual(["docker.io/library/app:1"]);
    store.untag("docker.io/library/app:1");
    store.forget(id("a1"));
    expect(store.list()).toEqual([]);
    expect(store.isNeeded(id("c1"))).toBe(true);
    expect(other.resolve("app:1").id).toBe(id("c1"));
  });

  test("ImageStore migrates what was there before them into the default one", () => {
    const path = join(directory, "old.db");
    {
      using old = openDatabase(path);
      old.migrate("images", migrations.slice(0, 1));
      old.connection.exec(`
        INSERT INTO images VALUES ('docker.io/library/app:1', '${id("a1")}', 'm', 7, 1, 2);
        INSERT INTO image_platforms VALUES ('${id("a1")}', 'linux/amd64', '${id("a1")}', '${id("c1")}', 5, '');
        INSERT INTO image_keys VALUES ('${id("a1")}', '${id("c1")}');
        INSERT INTO image_builtin VALUES ('localhost/node:latest', '[]', '${id("a1")}');`);
    }
    using migrated = openDatabase(path);
    const now = new ImageStore(migrated);
    expect(now.list()).toMatchObject([{ name: "docker.io/library/app:1", id: id("c1"), size: 5, used: 2 }]);
    expect(now.keys(id("a1"))).toEqual([id("c1")]);
    expect(new ImageStore(migrated, "other").list()).toEqual([]);
  });
});

test("ImageStore.noteUse() remembers a use to the hour, and pin() a name that is to stay", () => {
  const hour = 3600 * 1000;
  store.put(record("app:1", { now: hour }));
  const image = store.resolve("app:1");
  store.noteUse(image, 2 * hour - 1);
  expect(store.list()[0]?.used).toBe(hour);
  store.noteUse(image, 2 * hour);
  expect(store.list()[0]).toMatchObject({ used: 2 * hour, pinned: false });
  expect(store.pin("docker.io/library/app:1", true)).toBe(true);
  store.put(record("app:1", { now: 3 * hour }));
  expect(store.list()[0]).toMatchObject({ used: 3 * hour, pinned: true });
  expect(store.pin("docker.io/library/none:1", true)).toBe(false);
});
