import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultMaskedPaths, defaultMounts } from "#plan";
import { buildKeel } from "../support/monitored.ts";
import { PlannedBox } from "../support/planned-box.ts";
import { Lab, treeState } from "./support.ts";

// Whoever makes an image chooses what stands at the paths that a runtime uses while it still acts for the host: links that
// lead out, FIFOs and sockets that let it wait for ever, devices. Whatever is there, nothing of the host is changed or
// shown, nothing hangs, and a container that runs has the kernel's own /proc and /dev/null.

/** What setting up a container looks at, makes, or mounts on. */
const places = [
  "proc",
  "sys",
  "dev",
  "dev/null",
  "dev/console",
  "dev/ptmx",
  "dev/pts",
  "dev/shm",
  "dev/fd",
  "dev/made",
  "etc",
  "etc/hosts",
  "site/dir",
  "data",
  "hidden",
  "shown",
  "bin/first",
];

let box: PlannedBox;
let outside = "";
let socket: Server;

const kinds: readonly (readonly [name: string, make: (path: string) => void])[] = [
  ["an absolute link to a directory of the host", (path) => symlinkSync(outside, path)],
  ["a relative link to a file of the host", (path) => symlinkSync(`../../../../../../../../..${outside}/secret`, path)],
  ["a link to what the host does not have", (path) => symlinkSync(join(outside, "missing/file"), path)],
  ["a link to a descriptor", (path) => symlinkSync("/proc/self/fd/0", path)],
  ["a FIFO", (path) => void execFileSync("mkfifo", [path])],
  ["a socket", (path) => void execFileSync("cp", ["-a", join(box.monitored.directory, "socket"), path])],
  ["a device", (path) => void execFileSync("mknod", [path, "c", "1", "5"])],
];

beforeAll(async () => {
  buildKeel();
  box = new PlannedBox(["stat", "["]);
  outside = join(box.monitored.directory, "outside");
  mkdirSync(join(outside, "sub"), { recursive: true });
  writeFileSync(join(outside, "secret"), "secret of the host\n");
  writeFileSync(join(box.monitored.directory, "given"), "given\n");
  socket = createServer();
  await new Promise<void>((resolve) => socket.listen(join(box.monitored.directory, "socket"), resolve));
});
afterAll(async () => {
  socket.close();
  await box[Symbol.asyncDispose]();
});

const hostMounts = (): string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(box.monitored.directory));

/** Puts one thing in the place, runs a container that uses all places, and gives its output, or the error's code. */
async function attempt(place: string, make: (path: string) => void, terminal: boolean): Promise<string> {
  const path = join(box.root, place);
  for (const name of places) rmSync(join(box.root, name), { recursive: true, force: true });
  for (const name of ["proc", "sys", "dev", "etc", "tmp"]) mkdirSync(join(box.root, name), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  make(path);
  const given = (destination: string): object => ({
    source: join(box.monitored.directory, "given"),
    destination,
    options: ["bind"],
  });
  // Without the usual tmpfs the image's own /dev is used, which is what the places below it are about.
  const own = place.startsWith("dev/") && !["dev/pts", "dev/shm", "dev/mqueue"].includes(place);
  const seen = "/proc/version /hidden /shown /data/deep/* /etc/hosts /site/dir/*";
  const script = `stat -c %t:%T /dev/null; stat -f -c %t /proc; for f in ${seen}; do [ ! -f $f ] || cat $f; done`;
  const config = box.config(
    script,
    { terminal, cwd: "/site/dir", env: ["PATH=/bin/first:/bin"] },
    {
      maskedPaths: [...defaultMaskedPaths(box.facts), "/hidden"],
      readonlyPaths: ["/proc/sys", "/shown"],
      devices: [{ path: "/dev/made", type: "c", major: 1, minor: 3 }],
    },
    {
      mounts: [
        ...defaultMounts().filter(({ destination }) => !own || destination !== "/dev"),
        ...["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"].map(given),
        { type: "tmpfs", destination: "/data/deep", options: ["tmpcopyup"] },
      ],
    },
  );
  return await box.run(config).then(
    ({ lines }) => lines.join(" "),
    (error: unknown) => String((error as { code?: string }).code),
  );
}

/** Refused by a SampanError, or run with what a container must have. */
const harmless =
  /^(failed-precondition|invalid-argument|permission-denied|not-found|already-exists|internal|1:3 9fa0 Linux ((?!secret).)*)$/;

describe.each(kinds)("%s", (_, make) => {
  it(
    "at any path that a runtime uses changes nothing of the host, and nothing waits for it",
    { timeout: 60_000 },
    async () => {
      const before = [await treeState(outside), hostMounts()];
      const results: Record<string, string> = {};
      for (const place of places) results[place] = await attempt(place, make, place.startsWith("dev"));
      expect(Object.entries(results).filter(([, result]) => !harmless.test(result))).toEqual([]);
      expect([await treeState(outside), hostMounts()]).toEqual(before);
      // Not all are refused.
      expect(Object.values(results).filter((result) => result.startsWith("1:3")).length).toBeGreaterThan(1);
    },
  );
});

describe("accounts of an image", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.create();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it.each([
    ["fifo", {}],
    ["char", { device: [1, 5] as const }],
    ["symlink", { link: "../../../../../../../../etc/passwd" }],
    ["symlink", { link: "/proc/self/fd/0" }],
  ] as const)("that are a %s %j are neither those of the host nor waited for", async (type, more) => {
    const image = await lab.image("accounts", {
      without: /^etc\/(passwd|group)$/,
      layers: [["etc/passwd", "etc/group"].map((path) => ({ path, type, ...more }))],
    });
    // Which the host has.
    const { code, stdout } = await lab.run(["--pull", "always", "-u", "daemon"], image, ["id"], { timeout: 20_000 });
    expect([code, stdout]).toEqual([125, ""]);
  });
});
