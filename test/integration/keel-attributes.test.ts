/** Attributes that are written through files of the kernel: only through a procfs that is one, and only in the root. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { binaries, bind, Box, clone, ns, pivot, proc, propagation, rootBind, tmpfs } from "../support/keel-box.ts";

const label = (module: string, attribute = "exec") =>
  ({ op: "security-attribute", module, attribute, value: "exec sampan-test" }) as const;

describe.each(binaries)("%s", (_, binary) => {
  it("security-attribute reaches the kernel's own file, with a module's directory or without", async () => {
    await using box = await Box.make(binary);
    // No module of this kernel takes it, or AppArmor knows no such profile; a file that is not there would be ENOENT.
    for (const module of ["", "apparmor"])
      await expect(box.keel.execute([label(module)])).rejects.toMatchObject({
        fields: { syscall: "write", path: "exec sampan-test", errno: expect.toBeOneOf([22, 2, 13]) as number },
      });
    await expect(box.keel.execute([label("", "../../oom_score_adj")])).rejects.toMatchObject({ fields: { errno: 22 } });
  });

  it("security-attribute writes to nothing that an image has put in the kernel's place (CVE-2019-16884)", async () => {
    await using box = await Box.make(binary);
    const start = [clone(), propagation, rootBind(box.root)];
    await expect(box.keel.execute([...start, tmpfs("/proc"), pivot, label("")])).rejects.toMatchObject({
      fields: { errno: 18, path: "/proc" },
    });
    await writeFile(join(box.base, "fake"), "");
    const over = bind(join(box.base, "fake"), "/proc/thread-self/attr/exec");
    await expect(box.keel.execute([...start, proc, over, pivot, label("")])).rejects.toMatchObject({
      fields: { errno: 18, syscall: "write" },
    });
  });

  it("directory-xattr labels a directory of the root, and nothing outside of it", async () => {
    await using box = await Box.make(binary);
    await mkdir(join(box.root, "queue"));
    const start = { op: "root-directory", path: box.root } as const;
    const set = (path: string) =>
      ({ op: "directory-xattr", path, name: "trusted.sampan", value: "a:b:c1,c2" }) as const;
    await box.keel.execute([start, set("/queue")]);
    const { stdout } = spawnSync("getfattr", ["--only-values", "-n", "trusted.sampan", join(box.root, "queue")]);
    expect(stdout.toString()).toBe("a:b:c1,c2");
    await writeFile(join(box.root, "file"), "");
    await expect(box.keel.execute([start, set("/file")])).rejects.toMatchObject({ fields: { errno: 20 } });
    await expect(box.keel.execute([start, set("/../none")])).rejects.toMatchObject({ fields: { errno: 2 } });
  });

  it("remove-directory removes an empty directory; a missing one is no failure", async () => {
    await using box = await Box.make(binary);
    const path = join(box.base, "group");
    await mkdir(join(path, "below"), { recursive: true });
    const remove = { op: "remove-directory", path } as const;
    await expect(box.keel.execute([remove])).rejects.toMatchObject({ fields: { errno: 39 } });
    await box.keel.execute([{ ...remove, path: join(path, "below") }, remove, remove]);
    expect(existsSync(path)).toBe(false);
  });

  it("move-network-device is nothing to do without a container", async () => {
    await using box = await Box.make(binary);
    const move = { op: "move-network-device", name: "lo", newName: "lo" } as const;
    await expect(box.keel.execute([move])).rejects.toMatchObject({ fields: { errno: 22 } });
    await expect(box.keel.execute([clone(ns.net), { ...move, name: "x".repeat(16) }])).rejects.toMatchObject({
      fields: { errno: 22 },
    });
  });
});
