/**
 * A virtual machine with cgroup v2 alone, for what this machine's own kernel set-up does not show. It boots in seconds under
 * plain emulation, runs one shell command as root, and is gone.
 *
 *     disk 1  root filesystem with busybox and Node     (kept; writes are thrown away)
 *     disk 2  /files, made of what the test gives it    (made for each run)
 *     disk 3  tar archive of stdout, stderr and code    (written by the guest when the command has ended)
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkout } from "./checkout.ts";
import { mustHere, runHere, type CommandResult } from "./process.ts";
import { machine, makeDisk } from "./vm-machine.ts";

/** A file or directory of this machine, or a symbolic link to make. */
export type VmFile = string | { readonly symlink: string };

export interface VmOptions {
  /** Path below /files → what to put there. */
  readonly files?: Readonly<Record<string, VmFile>>;
  /** Shell script, run by busybox's sh in /files. Node is in PATH. */
  readonly command: string;
  /** Another one, run before it and with a ramdisk as root; its output is in /files/.ramdisk-output. */
  readonly ramdisk?: string;
  /** Milliseconds until the machine is ended, 120,000 if not given. */
  readonly timeout?: number;
  /** MiB, 1024 if not given. */
  readonly memory?: number;
}

/** What `./sampan` needs of a built checkout, at /files/sampan. It is started as `/files/sampan/sampan`. */
export const sampanFiles: Readonly<Record<string, VmFile>> = {
  ...Object.fromEntries(
    ["sampan", "sampan-oci", "dist", "build/native/keel", "build/ready", "package.json", "package-lock.json"].map(
      (name) => [`sampan/${name}`, join(checkout, name)],
    ),
  ),
  "sampan/node_modules/.bin/node": { symlink: "/usr/bin/node" },
};

/** Space for the guest's own use of /files, in MiB. */
const spare = 256;
/** Most that a command may print, in MiB. */
const resultSize = 16;

/**
 * Boots a machine, runs the command and ends it.
 *
 * @throws Error with the end of the console's output when the command did not end in time or the machine failed
 */
export async function runInVm({
  files = {},
  command,
  ramdisk,
  timeout = 120_000,
  memory = 1024,
}: VmOptions): Promise<CommandResult> {
  const { kernel, initramfs, disk } = await machine();
  const directory = await mkdtemp("/var/tmp/sampan-vm-");
  try {
    const staged = join(directory, "files");
    await mkdir(staged);
    await stage(staged, { ...files });
    await writeFile(join(staged, ".command"), command);
    if (ramdisk !== undefined) await writeFile(join(staged, ".ramdisk"), ramdisk);
    const size = Number((await mustHere(["du", "--summarize", "--block-size=1M", staged])).split("\t")[0]);
    await makeDisk(staged, join(directory, "files.ext4"), `${size + spare}M`);
    await writeFile(join(directory, "result"), "");
    await truncate(join(directory, "result"), resultSize << 20);

    const drives = [
      `file=${disk},snapshot=on`,
      `file=${join(directory, "files.ext4")},cache=unsafe`,
      `file=${join(directory, "result")},cache=unsafe`,
    ].map((drive, index) => `${drive},format=raw,if=none,id=disk${index}`);
    const disks = drives.flatMap((drive, index) => ["-drive", drive, "-device", `virtio-blk-pci,drive=disk${index}`]);
    const boot = ["-kernel", kernel, "-initrd", initramfs, "-append", kernelParameters];
    const { code, stdout, stderr } = await runHere(
      ["qemu-system-x86_64", ...hardware(memory), ...disks, ...boot],
      // Where qemu keeps what the guest writes to a snapshot.
      { timeout, env: { TMPDIR: directory } },
    );
    return await readResult(directory).catch((error: unknown) => {
      const state = code === 137 ? `it ran for ${timeout} ms` : `qemu ended with ${code}`;
      throw new Error(`Cannot run in a virtual machine: ${state}\n${stderr}${stdout.slice(-4000)}`, { cause: error });
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A console that says nothing but errors, no v1 controllers, and an end of qemu for whatever ends the kernel. */
const kernelParameters = "console=ttyS0 quiet loglevel=4 cgroup_no_v1=all reboot=t panic=-1 random.trust_cpu=on";

/**
 * Emulation where KVM is out of reach. The `microvm` machine is no faster, and has no clock that this kernel can rely on
 * under emulation: on a busy machine it fails to measure the time stamp counter, and hangs.
 */
function hardware(memory: number): readonly string[] {
  const machine = ["-machine", "q35", "-accel", "kvm", "-accel", "tcg", "-cpu", "max"];
  const none = ["-nodefaults", "-no-user-config", "-nographic", "-no-reboot"];
  return [...machine, ...none, "-smp", "2", "-m", String(memory), "-serial", "stdio"];
}

async function stage(directory: string, files: Readonly<Record<string, VmFile>>): Promise<void> {
  for (const [name, file] of Object.entries(files)) {
    const target = join(directory, name);
    await mkdir(dirname(target), { recursive: true });
    if (typeof file === "string")
      await cp(file, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    else await symlink(file.symlink, target);
  }
}

async function readResult(directory: string): Promise<CommandResult> {
  await mustHere(["tar", "--extract", "--file", "result", "stdout", "stderr", "code"], { cwd: directory });
  const [stdout, stderr, code] = await Promise.all(
    ["stdout", "stderr", "code"].map(async (name) => await readFile(join(directory, name), "utf8")),
  );
  return { stdout: stdout ?? "", stderr: stderr ?? "", code: Number(code) };
}
