/** Recipe of the small images, all upon Debian's static busybox. `make` writes to `<directory>/layout`. */
import { chmod, chown, copyFile, link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Layout } from "./layout.ts";
import { mustHere } from "./process.ts";
import { Bundle, configure } from "./umoci.ts";

/** Architecture names of images. */
const native = process.arch === "x64" ? "amd64" : process.arch;
const foreign = native === "arm64" ? "amd64" : "arm64";

export async function makeBusybox(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const layout = join(directory, "layout");
  await mustHere(["umoci", "init", "--layout", layout]);
  await makeBase(directory, layout);
  await makeConfigured(directory, layout);
  await makeLayers(directory, layout);

  const images = new Layout(layout);
  await images.recompress("layers", "zstd", "zstd");
  await images.recompress("layers", "uncompressed", "none");
  // Nothing in it can run here, which is what a test of platforms needs to see.
  await images.replatform("busybox", "foreign", foreign, foreign === "arm64" ? "v8" : undefined);
  await images.makeIndex("multi", ["busybox", "foreign"]);
  await mustHere(["umoci", "gc", "--layout", layout]);
}

/** `busybox`: the applets as hardlinks of one binary, users `root`, `app` (1000) and `nobody`, group `staff` (50). */
async function makeBase(directory: string, layout: string): Promise<void> {
  await mustHere(["umoci", "new", "--image", `${layout}:busybox`]);
  const bundle = await Bundle.unpack(`${layout}:busybox`, join(directory, "busybox"));
  const { rootfs } = bundle;
  for (const name of ["bin", "etc", "dev", "proc", "sys", "run", "var", "root", "tmp", "home/app", "usr/bin"])
    await mkdir(join(rootfs, name), { recursive: true });
  await chmod(join(rootfs, "tmp"), 0o1777);
  await chmod(join(rootfs, "root"), 0o700);
  await chown(join(rootfs, "home/app"), 1000, 1000);
  await copyFile("/bin/busybox", join(rootfs, "bin/busybox"));
  for (const applet of (await mustHere(["busybox", "--list"])).split("\n"))
    if (applet !== "busybox") await link(join(rootfs, "bin/busybox"), join(rootfs, "bin", applet));
  await symlink("../../bin/env", join(rootfs, "usr/bin/env"));
  const files = {
    passwd: [
      "root:x:0:0:root:/root:/bin/sh",
      "app:x:1000:1000:Application:/home/app:/bin/sh",
      "nobody:x:65534:65534:nobody:/nonexistent:/bin/false",
    ],
    group: ["root:x:0:", "staff:x:50:app", "app:x:1000:", "audio:x:29:app", "nogroup:x:65534:"],
  };
  for (const [name, lines] of Object.entries(files))
    await writeFile(join(rootfs, "etc", name), `${lines.join("\n")}\n`);
  await bundle.repack(`${layout}:busybox`);
  await configure(`${layout}:busybox`, {
    architecture: native,
    environment: ["PATH=/usr/local/bin:/usr/bin:/bin"],
    command: ["sh"],
  });
}

/** `configured`: each field of an image's configuration set to something that a container can show. */
async function makeConfigured(directory: string, layout: string): Promise<void> {
  const bundle = await Bundle.unpack(`${layout}:busybox`, join(directory, "configured"));
  await mkdir(join(bundle.rootfs, "data"));
  await writeFile(join(bundle.rootfs, "data/from-image"), "kept\n");
  await chown(join(bundle.rootfs, "data"), 1000, 50);
  await bundle.repack(`${layout}:configured`);
  await configure(`${layout}:configured`, {
    user: "app:staff",
    workingDirectory: "/srv/dir",
    stopSignal: "SIGUSR1",
    environment: ["GREETING=hello world"],
    entrypoint: ["/bin/sh", "-c", 'exec "$0" "$@"'],
    command: ["id"],
    volumes: ["/data"],
    ports: ["8080/tcp"],
    labels: ["org.example.purpose=test"],
  });
}

/**
 * `layers`: what layers can do to those below them.
 *
 *     1  busybox
 *     2  /tree/{kept,removed,replaced,dir/{a,b},opaque/{old,deep/old},links/{one,two}}, a setuid file, one with a file
 *        capability, one with a user attribute, a FIFO, a device, a symlink, old times
 *     3  removes /tree/removed and /tree/dir/a, replaces a file by a directory and a link's content
 *     4  /tree/opaque is opaque: only `new` is in it
 */
async function makeLayers(directory: string, layout: string): Promise<void> {
  const image = `${layout}:layers`;
  const second = await Bundle.unpack(`${layout}:busybox`, join(directory, "layers-2"));
  const tree = join(second.rootfs, "tree");
  for (const name of ["dir", "opaque/deep", "links"]) await mkdir(join(tree, name), { recursive: true });
  for (const name of ["kept", "removed", "replaced", "dir/a", "dir/b", "opaque/old", "opaque/deep/old", "links/one"])
    await writeFile(join(tree, name), `${name}\n`);
  await link(join(tree, "links/one"), join(tree, "links/two"));
  await symlink("/tree/kept", join(tree, "symlink"));
  for (const name of ["setuid", "capable", "attribute"]) await copyFile("/bin/busybox", join(tree, name));
  await chmod(join(tree, "setuid"), 0o4755);
  await mustHere(["setcap", "cap_net_bind_service=ep", join(tree, "capable")]);
  await mustHere(["setfattr", "-n", "user.purpose", "-v", "test", join(tree, "attribute")]);
  await mustHere(["mkfifo", "-m", "640", join(tree, "fifo")]);
  await mustHere(["mknod", "-m", "644", join(tree, "zero"), "c", "1", "5"]);
  await mustHere(["touch", "--date=2001-02-03T04:05:06Z", join(tree, "kept")]);
  await second.repack(image);

  const third = await Bundle.unpack(image, join(directory, "layers-3"));
  const changed = join(third.rootfs, "tree");
  for (const name of ["removed", "dir/a", "replaced"]) await rm(join(changed, name));
  await mkdir(join(changed, "replaced"));
  await writeFile(join(changed, "replaced/file"), "a directory now\n");
  await rm(join(changed, "links/two"));
  await writeFile(join(changed, "links/two"), "on its own now\n");
  await third.repack(image);

  const opaque = join(directory, "opaque");
  await mkdir(opaque);
  await writeFile(join(opaque, "new"), "new\n");
  await mustHere(["umoci", "insert", "--image", image, "--opaque", opaque, "/tree/opaque"]);
}
