import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, lstat, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameReader } from "../../src/keel/frames.ts";
import { decodeReply } from "../../src/keel/wire.gen.ts";
import { binaries, Box, clone, exec, ns, ordinary, pivot, propagation, rootBind, tmpfs } from "../support/keel-box.ts";

const writeTo = (path: string, tolerate: boolean) => ({ op: "write-file", path, data: "x", tolerate }) as const;

describe.each(binaries)("%s on the host's side", (_, binary) => {
  it("copy-tree fills an empty directory only, remove-tree follows no link", async () => {
    await using box = await Box.make(binary);
    const [volume, kept] = [join(box.base, "volume"), join(box.base, "kept")];
    for (const dir of [volume, kept, join(box.root, "data/deep")]) await mkdir(dir, { recursive: true });
    await writeFile(join(box.root, "data/deep/file"), "first", { mode: 0o640 });
    await writeFile(join(kept, "file"), "kept");
    await symlink(kept, join(box.root, "data/link"));
    const start = { op: "root-directory", path: box.root } as const;
    const copy = (source: string) => ({ op: "copy-tree", source, destination: volume }) as const;
    await box.keel.execute([start, copy("/none"), copy("/data"), copy("/etc")]);
    expect(await readFile(join(volume, "deep/file"), "utf8")).toBe("first");
    expect((await stat(join(volume, "deep/file"))).mode & 0o7777).toBe(0o640);
    expect((await lstat(join(volume, "link"))).isSymbolicLink()).toBe(true);
    await box.keel.execute([
      { op: "remove-tree", path: volume },
      { op: "remove-tree", path: volume },
      { op: "remove-tree", path: join(box.base, "none/none") },
    ]);
    expect([existsSync(volume), await readFile(join(kept, "file"), "utf8")]).toEqual([false, "kept"]);
    await expect(box.keel.execute([{ op: "remove-tree", path: "/" }])).rejects.toMatchObject({ fields: { errno: 22 } });
  });

  it("host-directory sets owner and mode of what it makes, and leaves what is there", async () => {
    await using box = await Box.make(binary);
    const path = join(box.base, "made");
    const make = (mode: number, uid: number) => ({ op: "host-directory", path, mode, uid, gid: 5 }) as const;
    await box.keel.execute([make(0o2750, 4), make(0o777, 0)]);
    const { mode, uid, gid } = await stat(path);
    expect([mode & 0o7777, uid, gid]).toEqual([0o2750, 4, 5]);
  });

  it("write-file makes no file, follows no final link, and tolerates what it is told to", async () => {
    await using box = await Box.make(binary);
    const [missing, link, file] = [join(box.base, "missing"), join(box.base, "link"), join(box.base, "file")];
    await writeFile(file, "-");
    await symlink(file, link);
    await box.keel.execute([writeTo(missing, true), writeTo(file, false)]);
    await expect(box.keel.execute([writeTo(missing, false)])).rejects.toMatchObject({ code: "not-found" });
    await expect(box.keel.execute([writeTo(link, true)])).rejects.toMatchObject({ fields: { errno: 40, path: link } });
    expect([existsSync(missing), await readFile(file, "utf8")]).toEqual([false, "x"]);
  });

  it("unmount detaches one mount; no mount is no failure", async () => {
    await using box = await Box.make(binary);
    const path = join(box.root, "tmp");
    await box.keel.execute([
      clone(ns.mnt),
      propagation,
      { op: "root-directory", path: box.root },
      tmpfs("/tmp"),
      { op: "unmount", path },
      { op: "unmount", path },
      { op: "unmount", path: join(path, "none") },
      { op: "directory", path: "/tmp/below", mode: 0o755, uid: 0, gid: 0 },
    ]);
    expect(existsSync(join(path, "below"))).toBe(true);
  });

  it("a user without privilege gets a user namespace with the own id as root", async () => {
    await using box = await Box.make(binary);
    const copy = join(box.base, "keel");
    await copyFile(binary, copy);
    const child = spawn(copy, ["serve"], { stdio: ["ignore", "inherit", "inherit", "pipe"], uid: 12_345, gid: 12_345 });
    const socket = child.stdio[3] as Socket;
    const map = [{ inside: 0, outside: 12_345, count: 1 }];
    const script = `{ id -u; cat /proc/self/oom_score_adj; } > /tmp/part; busybox mv /tmp/part /tmp/whole`;
    await symlink("busybox", join(box.root, "bin/id"));
    socket.write(
      encodeFrame(1, {
        kind: "execute",
        program: [
          { op: "write-file", path: "/proc/self/oom_score_adj", data: "77", tolerate: false },
          clone(ordinary | ns.user),
          { op: "id-map", uids: map, gids: map, denySetgroups: true },
          { op: "user", uid: 0, gid: 0, groups: [], umask: 0o022 },
          propagation,
          rootBind(box.root),
          { op: "mount", type: "proc", source: "proc", target: "/proc", attributes: 0n, parameters: [], mode: 0o755 },
          {
            op: "bind",
            source: box.out,
            target: "/tmp",
            recursive: true,
            set: 0n,
            clear: 0n,
            setRecursive: 0n,
            clearRecursive: 0n,
            propagation: 0n,
            propagationRecursive: false,
          },
          pivot,
          exec("/bin/sh", "-c", script),
        ],
      }),
    );
    const reader = new FrameReader();
    const [chunk] = (await once(socket, "data")) as [Buffer];
    const [reply] = reader.push(chunk);
    expect(reply && decodeReply(reply.kind, reply.body)).toEqual({ kind: "executed", results: [] });
    await expect.poll(() => existsSync(join(box.out, "whole")), { timeout: 5000 }).toBe(true);
    expect(await readFile(join(box.out, "whole"), "utf8")).toBe("0\n77\n");
    const end = once(child, "exit");
    socket.destroy();
    await end;
  });
});
