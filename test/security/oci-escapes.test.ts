import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { buildKeel } from "../support/monitored.ts";
import { OciHost, ociProgram } from "../support/oci-host.ts";
import { PlannedBox } from "../support/planned-box.ts";

// The published escapes of runc and crun, by their own command line: what `sampan-oci create` and `exec` are given here comes
// from an engine, and what they inherit from whoever started them.

let host: OciHost;
beforeAll(async () => {
  buildKeel();
  host = await OciHost.create();
});
afterAll(() => host[Symbol.asyncDispose]());

/** Runs sampan-oci from a shell that holds directories and files of the host open, without close-on-exec. */
const leaky = async (args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  await host.host.run([
    ...["bash", "-c", `exec 3</ 4</etc 5</etc/passwd 7</root 8</etc 9</; exec "$@"`, "bash"],
    ...[ociProgram, "--root", host.state, ...args],
  ]);

const list = "for fd in /proc/self/fd/*; do readlink $fd; done | grep -c ^/";

describe("CVE-2024-21626: descriptors of the host", () => {
  it("that the caller left open are in neither the first process nor an exec, and lead no working directory out", async () => {
    const bundle = await host.bundle(
      "leaky",
      (c) => (c.process.args = ["sh", "-c", `ls /proc/self/fd; exec sleep 1000`]),
    );
    const script = `{ ${list}; ls /proc/1/fd /proc/self/fd; } 2>&1`;
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "leaky"]);
    const { stdout } = await leaky(["exec", "leaky", "sh", "-c", script]);
    // 3 is the directory that ls reads. None is a path: all are pipes.
    expect(stdout.split(/\s+/)).toEqual(["0", "/proc/1/fd:", "0", "1", "2", "/proc/self/fd:", "0", "1", "2", "3", ""]);
    for (const fd of [3, 7, 9]) {
      const { code } = await leaky(["exec", "--cwd", `/proc/self/fd/${fd}`, "leaky", "pwd"]);
      expect([fd, code]).toEqual([fd, 255]);
    }
    await host.must(["delete", "--force", "leaky"]);
    const other = await host.bundle("leaky-cwd", (c) => (c.process.cwd = "/proc/self/fd/7"));
    expect(await leaky(["run", "--bundle", other, "leaky-cwd"])).toMatchObject({ code: 1, stdout: "" });
  });

  it("are refused as working directories by their numbers, to create and exec", { timeout: 120_000 }, async () => {
    await using box = new PlannedBox([]);
    const running = await box.wait();
    const ran: string[] = [];
    for (const fd of [3, 4, 5, 6, 7, 8, 9, 10, 20, 100]) {
      const process = { cwd: `/proc/self/fd/${fd}` };
      await box.run(box.config("true", process)).then(
        () => ran.push(`create ${fd}`),
        () => undefined,
      );
      await box.exec(running, "true", process).then(
        () => ran.push(`exec ${fd}`),
        () => undefined,
      );
    }
    expect(ran).toEqual([]);
    expect(await box.exec(running, "true", { cwd: "/proc/self" })).toMatchObject({ status: 0 });
  });
});

describe("CVE-2019-5736: the runtime's own files", () => {
  it("are as they were after a container could reach who entered it, and ran it as its own program", async () => {
    const files = [
      pinnedNode,
      ociProgram,
      ...["build/native/keel", "dist/sampan-oci.cjs", "dist/oci/program.cjs"].map((name) => join(checkout, name)),
    ];
    const digests = async (): Promise<readonly string[]> =>
      await Promise.all(
        files.map(async (f) =>
          createHash("sha256")
            .update(await readFile(f))
            .digest("hex"),
        ),
      );
    const before = await digests();
    const overwrite = `while :; do for p in /proc/[0-9]*; do exe=$(readlink $p/exe)
      case $exe in /bin/*|"") ;; *) echo "$exe" >> /tmp/reached; echo x 1<>$p/exe ;; esac; done; done 2>/dev/null`;
    const bundle = await host.bundle(
      "overwrite",
      (c) => {
        c.process.args = ["sh", "-c", overwrite];
        c.root.readonly = false;
        const all = ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_KILL"];
        c.process["capabilities"] = { bounding: all, effective: all, permitted: all };
        c.linux["seccomp"] = undefined;
      },
      { ownRoot: true },
    );
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "overwrite"]);
    await writeFile(join(bundle, "rootfs/self"), "#!/proc/self/exe\n", { mode: 0o755 });
    for (let i = 0; i < 2; i++) {
      await host.oci(["exec", "overwrite", "true"]);
      await host.oci(["exec", "overwrite", "/self"]);
    }
    await host.must(["delete", "--force", "overwrite"]);
    const reached = await readFile(join(bundle, "rootfs/tmp/reached"), "utf8").catch(() => "");
    for (const path of reached.split("\n").filter((line) => line !== ""))
      expect(path).toMatch(/^\/memfd:keel \(deleted\)$|^\/self$/);
    expect(await digests()).toEqual(before);
  });
});

describe("what a process may do", () => {
  const show = "grep -E '^Cap|^Groups|^NoNewPrivs' /proc/self/status; id -u; id -g";
  const fields = (text: string): Record<string, string> =>
    Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => line.split(/:\s*/, 2) as [string, string]),
    );

  it("CVE-2022-29162, CVE-2022-27650, CVE-2026-30892: is what was asked for, and no more, by run and exec", async () => {
    const bundle = await host.bundle("rights", (c) => (c.process.args = ["sh", "-c", `${show}; exec sleep 1000`]));
    const own = (
      await host.oci([
        "run",
        "--bundle",
        await host.bundle("shown", (c) => (c.process.args = ["sh", "-c", show])),
        "shown",
      ])
    ).stdout;
    const none = "0000000000000000";
    const kept = "0000000020000420"; // kill, net_bind_service, audit_write
    expect(fields(own)).toMatchObject({
      CapInh: none,
      CapAmb: none,
      CapPrm: kept,
      CapEff: kept,
      CapBnd: kept,
      Groups: "",
    });
    await host.mustDetach(["run", "--detach", "--bundle", bundle, "rights"]);
    const exec = async (...flags: string[]): Promise<Record<string, string>> =>
      fields(await host.must(["exec", ...flags, "rights", "sh", "-c", show]));
    const more = "0000000020001420"; // and net_admin
    expect(await exec("--cap", "NET_ADMIN")).toMatchObject({ CapInh: none, CapAmb: none, CapPrm: more, CapBnd: more });
    expect(await exec("--user", "1", "--cap", "CAP_NET_ADMIN")).toMatchObject({
      ...{ CapInh: none, CapAmb: none, CapPrm: none, CapEff: none, CapBnd: more },
    });
    for (const [user, expected] of [
      ["1", "1\n0\n"],
      ["01:02", "1\n2\n"],
      ["1:", undefined],
      [":1", undefined],
      ["4294967297", undefined],
      ["-1", undefined],
    ] as const) {
      const { code, stdout } = await host.oci(["exec", "--user", user, "rights", "sh", "-c", "id -u; id -g"]);
      expect([user, code, stdout]).toEqual([user, expected === undefined ? 255 : 0, expected ?? ""]);
    }
    await host.must(["delete", "--force", "rights"]);
  });

  it("GHSA-g54h-m393-cpwq: devices that no rule allows can't be opened, whatever rules there are", async () => {
    const script = `for d in "b 254 0" "c 1 1" "c 10 237" "c 10 229" "c 1 5"; do
      mknod /tmp/d $d; head -c1 /tmp/d 2>&1 >/dev/null | sed 's/.*: //' | grep . || echo no error; rm /tmp/d; done`;
    const denied = "Operation not permitted";
    const capabilities = ["CAP_MKNOD"];
    for (const devices of [
      [],
      undefined,
      [{ allow: true, type: "c", major: 10, minor: 229, access: "rw" }],
      [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
      ],
    ]) {
      const bundle = await host.bundle("devices", (c) => {
        c.process.args = ["sh", "-c", script];
        c.process["capabilities"] = { bounding: capabilities, effective: capabilities, permitted: capabilities };
        c.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["dev"] });
        c.linux["resources"] = devices === undefined ? undefined : { devices };
      });
      const { stdout } = await host.oci(["run", "--bundle", bundle, "devices"]);
      const lines = stdout.trim().split("\n");
      // The fourth is the one that the rules allow; this host may have no driver for it.
      expect([lines[0], lines[1], lines[2], lines[4]]).toEqual([denied, denied, denied, "no error"]);
      expect(lines[3] === denied).toBe((devices?.length ?? 0) === 0);
    }
  });
});
