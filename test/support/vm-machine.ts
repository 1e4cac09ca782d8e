/**
 * What the virtual machine boots, made once and kept in `build/vm`: Debian's cloud kernel, an initramfs with the modules
 * to reach its disks, and a disk with busybox and the pinned Node. The kernel package is unpacked, not installed.
 */
import { createHash } from "node:crypto";
import { access, cp, link, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkout, pinnedNode } from "./checkout.ts";
import { cpio, type CpioEntry } from "./cpio.ts";
import { mustHere, runHere } from "./process.ts";

export interface Machine {
  readonly kernel: string;
  readonly initramfs: string;
  /** ext4 image with the root filesystem; only read, what the guest writes is thrown away. */
  readonly disk: string;
}

/** This kernel has virtio and overlayfs as modules, ext4 built in, and no 9p. */
const modules = ["virtio_pci", "virtio_blk", "overlay"];

/**
 * Runs as pid 1 in the initramfs: loads modules, mounts the disks, and goes on in the root filesystem. Before that it runs what
 * a test wants to see on a ramdisk, whose directories are those of the disk.
 */
const init = (files: readonly string[]): string => `#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
${files.map((file) => `busybox insmod /modules/${file}`).join("\n")}
busybox mount -t ext4 /dev/vda /root
busybox mount -t ext4 /dev/vdb /root/files
if [ -e /root/files/.ramdisk ]; then
  busybox mount -t proc proc /proc
  busybox mount -t sysfs sysfs /sys
  busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
  busybox mount -t tmpfs run /run
  (cd /files; PATH=/usr/sbin:/usr/bin:/sbin:/root/bin HOME=/tmp sh /files/.ramdisk >/files/.ramdisk-output 2>&1 </dev/null)
  for d in /run /sys/fs/cgroup /sys /proc; do busybox umount -l $d; done
fi
exec busybox switch_root /root /sbin/init
`;

/** Runs as pid 1 in the root filesystem: the command of the test, then the end. Its result goes to the third disk. */
const system = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /run/result
hostname sampan-vm
ip link set lo up
cd /files
sh /files/.command >/run/result/stdout 2>/run/result/stderr </dev/null
echo $? >/run/result/code
tar -c -C /run/result -f /dev/vdc stdout stderr code
sync
reboot -f
`;

/** Two of one process that need it at once make it together. */
let making: Promise<Machine> | undefined;

/** Makes the machine if there is none of the present recipe. Needs apt's sources the first time, and x86-64. */
export function machine(): Promise<Machine> {
  making ??= findOrMake();
  return making;
}

async function findOrMake(): Promise<Machine> {
  if (process.arch !== "x64") throw new Error(`Cannot make a virtual machine: no recipe for ${process.arch}`);
  const recipe = await readFile(fileURLToPath(import.meta.url));
  const parent = join(checkout, "build", "vm");
  const key = createHash("sha256").update(recipe).update(process.version).digest("hex").slice(0, 12);
  const directory = join(parent, key);
  const made = {
    kernel: join(directory, "vmlinuz"),
    initramfs: join(directory, "initramfs"),
    disk: join(directory, "disk"),
  };
  if (await exists(directory)) return made;

  const unfinished = `${directory}.${process.pid}`;
  await mkdir(join(unfinished, "machine"), { recursive: true });
  const outdated = (await readdir(parent)).filter((name) => !name.includes("."));
  try {
    const version = await unpackKernel(unfinished);
    await rename(join(unfinished, "kernel/boot", `vmlinuz-${version}`), join(unfinished, "machine/vmlinuz"));
    await writeFile(
      join(unfinished, "machine/initramfs"),
      await makeInitramfs(join(unfinished, "kernel/lib/modules", version)),
    );
    await makeRoot(join(unfinished, "root"));
    await makeDisk(join(unfinished, "root"), join(unfinished, "machine/disk"), "2G");
    await rename(join(unfinished, "machine"), directory).catch(async (error: unknown) => {
      if (!(await exists(directory))) throw error; // else another process was faster
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  for (const name of outdated) await rm(join(parent, name), { recursive: true, force: true });
  return made;
}

/**
 * Makes an ext4 image of a directory.
 *
 * @param size as mke2fs takes it, e.g. `64M`; the file is sparse
 */
export async function makeDisk(directory: string, file: string, size: string): Promise<void> {
  const fast = ["-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-m", "0"];
  await mustHere(["mke2fs", "-q", "-t", "ext4", ...fast, "-d", directory, file, size], {
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
}

/** Downloads and unpacks the kernel that the meta package stands for to `<directory>/kernel`. Returns its version. */
async function unpackKernel(directory: string): Promise<string> {
  const meta = "linux-image-cloud-amd64";
  const packageOf = async (): Promise<string | undefined> =>
    /^\s*Depends: (linux-image-\S+)$/m.exec((await runHere(["apt-cache", "depends", meta])).stdout)?.[1];
  let name = await packageOf();
  if (name === undefined) {
    await mustHere(["apt-get", "--quiet", "update"]); // a fresh machine has no package lists
    name = await packageOf();
  }
  if (name === undefined) throw new Error(`Cannot get a kernel: apt does not know ${meta}`);
  // As root apt would fetch as _apt, which may not write here.
  await mustHere(["apt-get", "--quiet", "-o", "APT::Sandbox::User=root", "download", name], { cwd: directory });
  const file = (await readdir(directory)).find((entry) => entry.endsWith(".deb"));
  if (file === undefined) throw new Error(`Cannot get a kernel: apt-get downloaded no file of ${name}`);
  await mustHere(["dpkg-deb", "--extract", join(directory, file), join(directory, "kernel")]);
  return name.slice("linux-image-".length);
}

async function makeInitramfs(tree: string): Promise<Uint8Array> {
  const found = new Map<string, string>();
  for (const path of await readdir(tree, { recursive: true })) {
    const [, name] = /([^/]+)\.ko$/.exec(path) ?? [];
    if (name !== undefined) found.set(name.replaceAll("-", "_"), join(tree, path));
  }
  // In the order in which they have to be loaded: each after those that it depends on.
  const loaded = new Map<string, Uint8Array>();
  const load = async (name: string): Promise<void> => {
    if (loaded.has(name)) return;
    const path = found.get(name);
    if (path === undefined) throw new Error(`Cannot find kernel module "${name}"`);
    const data = await readFile(path);
    const [, needed = ""] = /\0depends=([^\0]*)\0/.exec(data.toString("latin1")) ?? [];
    for (const other of needed.split(",")) if (other !== "") await load(other.replaceAll("-", "_"));
    loaded.set(name, data);
  };
  for (const name of modules) await load(name);
  const files = [...loaded].map(([name, data]): CpioEntry => ({
    path: `modules/${name}.ko`,
    kind: "file",
    data,
    mode: 0o644,
  }));
  const script = Buffer.from(init([...loaded.keys()].map((name) => `${name}.ko`)));
  return cpio([
    ...["bin", "dev", "modules", "root", "proc", "sys", "run", "tmp"].map((path): CpioEntry => ({
      path,
      kind: "directory",
    })),
    ...["usr", "lib", "lib64", "files"].map((path): CpioEntry => ({ path, kind: "link", target: `root/${path}` })),
    ...["sh", "env"].map((name): CpioEntry => ({ path: `bin/${name}`, kind: "link", target: "busybox" })),
    { path: "dev/console", kind: "device", major: 5, minor: 1 },
    { path: "bin/busybox", kind: "file", data: await readFile("/bin/busybox"), mode: 0o755 },
    { path: "init", kind: "file", data: script, mode: 0o755 },
    ...files,
  ]);
}

/** busybox under all its names, the pinned Node with its libraries, and a few files that programs expect. */
async function makeRoot(root: string): Promise<void> {
  for (const name of [
    "bin",
    "sbin",
    "etc",
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "root",
    "files",
    "var/lib",
    "usr/bin",
    "lib",
  ])
    await mkdir(join(root, name), { recursive: true });
  await cp("/bin/busybox", join(root, "bin/busybox"));
  for (const applet of (await mustHere(["busybox", "--list"])).split("\n"))
    if (applet !== "busybox" && applet !== "init") await link(join(root, "bin/busybox"), join(root, "bin", applet));
  await symlink("../../bin/env", join(root, "usr/bin/env"));
  await cp(pinnedNode, join(root, "usr/bin/node"), { dereference: true });
  for (const [library] of (await mustHere(["ldd", pinnedNode])).matchAll(/\/\S+/g)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\n");
  await writeFile(join(root, "sbin/init"), system, { mode: 0o755 });
}

const exists = async (path: string): Promise<boolean> =>
  await access(path).then(
    () => true,
    () => false,
  );
