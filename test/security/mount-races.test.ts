import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { operationsOf, planMountAdd, type Operation } from "#plan";
import { parseRuntimeConfig } from "#spec";
import { buildKeel } from "../support/monitored.ts";
import { ownUsers, MountBox } from "../support/mount-box.ts";
import { exchangeSource } from "./exchange.ts";
import { program, treeState } from "./support.ts";

// CVE-2021-30465, CVE-2024-45310 and their kind: whoever shares a volume with a container exchanges a directory in it with
// a link to the host, without end, while the container's mounts are made below it. Whatever the kind of mount, nothing may
// come to the host: no mount, no file made to mount on, no content of the host in the container.

let box: MountBox;
let outside = "";
let attacker: { stop: () => Promise<number> };

beforeAll(buildKeel);

beforeEach(async () => {
  box = new MountBox();
  outside = box.make("outside", { secret: "secret of the host\n", file: "" });
  mkdirSync(join(outside, "sub"));
  box.make("source", { file: "content\n" });
  const volume = box.make("volume");
  mkdirSync(join(volume, "dir"));
  symlinkSync(`../../../../../../../..${outside}`, join(volume, "link"));
  // Where the link leads in the container, so that both ways are open.
  mkdirSync(join(box.root, outside), { recursive: true });
  writeFileSync(join(box.root, outside, "in-the-root"), "");
  box.remap();
  const child = spawn(await program("exchange-fast", exchangeSource), [join(volume, "dir"), join(volume, "link")]);
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const closed = once(child, "close");
  attacker = {
    async stop() {
      child.kill("SIGTERM");
      await closed;
      return Number(output);
    },
  };
});

afterEach(async () => {
  await attacker.stop();
  await box[Symbol.asyncDispose]();
});

const maps = {
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 10 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 10 }],
};
const volumeMount = (): object => ({ source: box.path("volume"), destination: "/shared", options: ["rbind"] });
const milliseconds = 2000;

/** Runs programs for a while; how many succeeded and failed. */
async function attempt(
  make: (index: number) => readonly Operation[],
): Promise<{ readonly made: number; readonly refused: number }> {
  let made = 0;
  let refused = 0;
  for (const end = Date.now() + milliseconds; Date.now() < end;)
    await box.monitored.executor.execute(make(made + refused)).then(
      () => (made += 1),
      () => (refused += 1),
    );
  return { made, refused };
}

/** A container's set-up, from its process up to the change of its root. */
function setup(mounts: readonly object[], linux: object = {}): readonly Operation[] {
  // A user namespace mounts cgroups only in the cgroup namespace that joining them makes, which is left out here.
  const defaults = (destination: string): boolean => destination !== "/sys/fs/cgroup";
  const config = box.config("true", { mounts: [volumeMount(), ...mounts], defaults, linux });
  const all = operationsOf(box.plan(config));
  const start = all.findIndex(({ op }) => op === "clone");
  const end = all.findIndex(({ op }) => op === "pivot-root");
  return all.slice(start, end + 1).filter(({ op }) => op !== "join-cgroup");
}

/** The state of all that must not change. */
const hostState = async (): Promise<readonly string[]> => [
  ...(await treeState(outside)),
  ...readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(box.directory)),
];

it.each([
  [
    "a bind of a directory",
    (n: number) => [{ source: "source", destination: `/shared/dir/new-${n % 5}`, options: ["rbind"] }],
    {},
  ],
  [
    "a bind of a file",
    (n: number) => [{ source: "source/file", destination: `/shared/dir/new-${n % 5}`, options: ["bind"] }],
    {},
  ],
  [
    "an id-mapped directory",
    (n: number) => [{ source: "source", destination: `/shared/dir/new-${n % 5}`, options: ["bind"], ...maps }],
    {},
  ],
  [
    "an id-mapped file, in a user namespace",
    (n: number) => [{ source: "source/file", destination: `/shared/dir/new-${n % 5}`, options: ["bind"], ...maps }],
    ownUsers,
  ],
  [
    "a bind on what is not followed",
    (n: number) => [
      { source: "source/file", destination: `/shared/dir/new-${n % 5}`, options: ["bind", "dest-nofollow"] },
    ],
    {},
  ],
  [
    "a copied link",
    (n: number) => [
      { source: box.path("volume/link"), destination: `/shared/dir/new-${n % 5}`, options: ["bind", "copy-symlink"] },
    ],
    {},
  ],
  [
    "a tmpfs with the content of what it covers",
    (n: number) => [
      { type: "tmpfs", destination: n % 2 === 0 ? "/shared/dir" : `/shared/dir/sub`, options: ["tmpcopyup"] },
    ],
    {},
  ],
  [
    "a change of a mount",
    () => [{ type: "tmpfs", destination: "/shared/dir/sub", options: ["remount", "bind", "ro"] }],
    {},
  ],
] as const)(
  "%s below an exchanged directory comes to no host",
  async (_, mounts, linux) => {
    if (linux === ownUsers) box.remap();
    const before = await hostState();
    const { made, refused } = await attempt((index) => setup(mounts(index), linux));
    expect(await attacker.stop()).toBeGreaterThan(1000);
    expect(made + refused).toBeGreaterThan(10);
    expect(await hostState()).toEqual(before);
    const names = ["new-0", "new-1", "new-2", "new-3", "new-4"];
    const inRoot = names.filter((name) => existsSync(join(box.root, outside, name)));
    // The link was followed, but inside the root: the race was on.
    if (mounts(0).some((mount) => mount.destination.includes("new-"))) expect(inRoot.length).toBeGreaterThan(0);
  },
  30_000,
);

it("masked and read-only paths, and devices, below an exchanged directory come to no host", async () => {
  const before = await hostState();
  const linux = {
    maskedPaths: ["/shared/dir/secret", "/shared/dir/sub"],
    readonlyPaths: ["/shared/dir"],
    devices: [{ path: "/shared/dir/new-0", type: "c", major: 1, minor: 3 }],
  };
  const { made, refused } = await attempt(() => setup([], linux));
  expect(await attacker.stop()).toBeGreaterThan(1000);
  expect(made + refused).toBeGreaterThan(10);
  expect(await hostState()).toEqual(before);
  expect(existsSync(join(box.root, outside, "new-0"))).toBe(true);
}, 30_000);

it("a mount that is added to a running container comes to no host", async () => {
  const config = box.config("while :; do sleep 1; done", { mounts: [volumeMount()] });
  const { pid } = await box.start(config);
  const before = await hostState();
  const { mounts } = parseRuntimeConfig({
    ociVersion: "1.3.0",
    mounts: [
      { source: box.path("source/file"), destination: "/shared/dir/new-0", options: ["bind"] },
      { type: "tmpfs", destination: "/shared/dir/sub", options: ["tmpcopyup"] },
    ],
  });
  const { made, refused } = await attempt(() => operationsOf(planMountAdd(mounts, config, box.facts, { pid })));
  expect(await attacker.stop()).toBeGreaterThan(1000);
  expect(made + refused).toBeGreaterThan(10);
  expect(await hostState()).toEqual(before);
  expect(existsSync(join(box.root, outside, "new-0"))).toBe(true);
}, 30_000);
