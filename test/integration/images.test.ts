import { describe, expect, it } from "vitest";
import { gunzipSync } from "node:zlib";
import { groups, testImage, type ImageName } from "../support/images.ts";
import { Layout } from "../support/layout.ts";
import { mustHere, runHere } from "../support/process.ts";

const inspect = async (name: ImageName, flag: "--config" | "--raw"): Promise<Record<string, unknown>> =>
  JSON.parse(await mustHere(["skopeo", "inspect", flag, await testImage(name)])) as Record<string, unknown>;

describe("testImage()", () => {
  it("gives each image a manifest that skopeo takes", async () => {
    for (const name of [...groups.busybox, ...groups.debian])
      expect(await inspect(name, "--raw")).toMatchObject({ schemaVersion: 2 });
  });

  it("makes `layers` of files with all their attributes, whiteouts and an opaque directory", async () => {
    const [, directory = ""] = (await testImage("layers")).split(":");
    const layout = new Layout(directory);
    const listed: string[][] = [];
    for (const { digest } of (await layout.manifest("layers")).layers.slice(1)) {
      const input = gunzipSync(await layout.readBlob(digest));
      // What `umoci insert` makes has no end-of-archive blocks, on which tar insists and container engines do not.
      const lines = (await runHere(["tar", "--list", "--verbose"], { input })).stdout.trimEnd().split("\n");
      // type and mode without an ACL mark, owner, size or device, [date], name
      listed.push(
        lines
          .map((line) => line.replace(/^(\S{10})\S* +\S+ +(\S+) \S+ \S+ /, "$1 $2 "))
          .filter((line) => !line.startsWith("d") || line.includes("opaque")),
      );
    }
    expect(listed).toStrictEqual([
      [
        expect.stringMatching(/^-rwxr-xr-x \d+ tree\/attribute$/),
        expect.stringMatching(/^-rwxr-xr-x \d+ tree\/capable$/),
        "-rw-r--r-- 6 tree/dir/a",
        "-rw-r--r-- 6 tree/dir/b",
        "prw-r----- 0 tree/fifo",
        "-rw-r--r-- 5 tree/kept",
        "-rw-r--r-- 10 tree/links/one",
        "hrw-r--r-- 0 tree/links/two link to tree/links/one",
        "drwxr-xr-x 0 tree/opaque/",
        "drwxr-xr-x 0 tree/opaque/deep/",
        "-rw-r--r-- 16 tree/opaque/deep/old",
        "-rw-r--r-- 11 tree/opaque/old",
        "-rw-r--r-- 8 tree/removed",
        "-rw-r--r-- 9 tree/replaced",
        expect.stringMatching(/^-rwsr-xr-x \d+ tree\/setuid$/),
        "lrwxrwxrwx 0 tree/symlink -> /tree/kept",
        "crw-r--r-- 1,5 tree/zero",
      ],
      [
        "---------- 0 tree/dir/.wh.a",
        "-rw-r--r-- 10 tree/links/one",
        "-rw-r--r-- 15 tree/links/two",
        "---------- 0 tree/.wh.removed",
        "-rw-r--r-- 16 tree/replaced/file",
      ],
      ["---------- 0 tree/opaque/.wh..wh..opq", "drwxr-xr-x 0 tree/opaque/", "-rw-r--r-- 4 tree/opaque/new"],
    ]);
  });

  it("makes `multi` an index of two platforms", async () => {
    const platforms = ((await inspect("multi", "--raw"))["manifests"] as { platform: object }[]).map(
      ({ platform }) => platform,
    );
    expect(platforms).toContainEqual({ architecture: "amd64", os: "linux" });
    expect(platforms).toContainEqual({ architecture: "arm64", os: "linux", variant: "v8" });
  });

  it("makes `configured` and `redis` with each field of their configuration", async () => {
    expect((await inspect("configured", "--config"))["config"]).toStrictEqual({
      User: "app:staff",
      ExposedPorts: { "8080/tcp": {} },
      Env: ["PATH=/usr/local/bin:/usr/bin:/bin", "GREETING=hello world"],
      Entrypoint: ["/bin/sh", "-c", 'exec "$0" "$@"'],
      Cmd: ["id"],
      Volumes: { "/data": {} },
      WorkingDir: "/srv/dir",
      Labels: { "org.example.purpose": "test" },
      StopSignal: "SIGUSR1",
    });
    expect((await inspect("redis", "--config"))["config"]).toStrictEqual({
      User: "redis",
      ExposedPorts: { "6379/tcp": {} },
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: ["redis-server"],
      Cmd: ["--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/data"],
      Volumes: { "/data": {} },
      WorkingDir: "/data",
    });
  });
});
