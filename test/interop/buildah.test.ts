/** Debian's buildah with `sampan-oci` in runc's place. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImage } from "../support/images.ts";
import { ociProgram } from "../support/oci-host.ts";
import { mustHere } from "../support/process.ts";
import { TestHost } from "../support/testhost.ts";

let host: TestHost;
let archive: string;
beforeAll(async () => {
  host = await TestHost.create();
  archive = join(host.files, "image.tar");
  await mustHere([
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    await testImage("busybox"),
    `oci-archive:${archive}:localhost/test:1`,
  ]);
});
afterAll(async () => await host[Symbol.asyncDispose]());

describe("buildah --runtime sampan-oci", () => {
  it("run runs commands in a working container, with stdin, mounts and exit codes", async () => {
    const base = [
      "buildah",
      "--root",
      join(host.files, "storage"),
      "--runroot",
      "/run/buildah",
      "--storage-driver",
      "overlay",
    ];
    const from = ["from", "--cgroup-parent", host.cgroupParent, "-q", `oci-archive:${archive}`];
    const container = await host.must([...base, ...from]);
    const run = [
      ...base,
      "run",
      "--runtime",
      ociProgram,
      "--runtime-flag",
      `root=${join(host.directory, "oci")}`,
      "--network",
      "none",
    ];
    const script = "read x; echo made-$x > /made; ls /host";
    await host.must(["sh", "-c", `mkdir ${host.files}/shared; touch ${host.files}/shared/a`]);
    const mount = ["-v", `${host.files}/shared:/host:ro`];
    const { code, stdout, stderr } = await host.run([...run, ...mount, container, "--", "sh", "-c", script], {
      input: "here\n",
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "a\n", stderr: "" });
    expect(await host.must([...run, container, "--", "cat", "/made"])).toBe("made-here");
    expect((await host.run([...run, container, "--", "sh", "-c", "exit 9"])).code).toBe(9);
  });
});
