import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { operationsOf, planExec } from "#plan";
import { buildKeel } from "../support/monitored.ts";
import { PlannedBox, type Waiting } from "../support/planned-box.ts";
import { exchangeSource } from "./exchange.ts";
import { program, treeState } from "./support.ts";

// CVE-2021-30465, CVE-2024-21626 and CVE-2025-52881, of exec: what a container's processes change while another one is put
// into the container (a directory in a shared volume; what is mounted at /proc and /dev/pts) leads nothing of it to the host,
// nor to files that were put in place of the kernel's.

let box: PlannedBox;
let outside = "";
let volume = "";
beforeAll(() => {
  buildKeel();
  box = new PlannedBox(["ls", "mount", "umount", "mkdir", "touch", "find", "tty"]);
  outside = join(box.monitored.directory, "outside");
  volume = join(box.monitored.directory, "volume");
  mkdirSync(join(outside, "sub"), { recursive: true });
  writeFileSync(join(outside, "secret"), "secret of the host\n");
  mkdirSync(join(volume, "dir"), { recursive: true });
  writeFileSync(join(volume, "dir/in-the-volume"), "");
  // Both leads: to the host as this side sees it, and to the same path in the root.
  symlinkSync(`../../../../../../../..${outside}`, join(volume, "link"));
  mkdirSync(join(box.root, outside), { recursive: true });
  writeFileSync(join(box.root, outside, "in-the-root"), "");
});
afterAll(() => box[Symbol.asyncDispose]());

it(
  "a working directory that is exchanged with a link to the host is never the host's",
  { timeout: 90_000 },
  async () => {
    const mounts = [{ source: volume, destination: "/shared", options: ["rbind"] }];
    const running = await box.wait({}, {}, { mounts: [...box.config("true").mounts, ...mounts] });
    const before = await treeState(outside);
    const attacker = spawn(await program("exchange-fast", exchangeSource), [join(volume, "dir"), join(volume, "link")]);
    let count = "";
    attacker.stdout.on("data", (data: Buffer) => (count += data.toString()));
    const seen = new Set<string>();
    for (const end = Date.now() + 3000; Date.now() < end;)
      await box.exec(running, "ls", { cwd: "/shared/dir" }).then(
        ({ lines }) => seen.add(lines.join(" ")),
        () => seen.add("refused"),
      );
    attacker.kill("SIGTERM");
    await once(attacker, "close");
    expect(Number(count)).toBeGreaterThan(1000);
    // Both were met, and nothing else: the race was on.
    seen.delete("refused");
    expect(seen).toEqual(new Set(["in-the-root", "in-the-volume"]));
    expect(await treeState(outside)).toEqual(before);
  },
);

/** Another process in a container, with all that keel writes to files of the kernel. */
async function execAll(running: Waiting): Promise<void> {
  const asked = box.config("tty", {
    terminal: true,
    oomScoreAdj: 300,
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 64, hard: 64 }],
    ioPriority: { class: "IOPRIO_CLASS_IDLE" },
  }).process;
  if (asked === undefined) throw new Error("no process");
  const steps = operationsOf(
    planExec(asked, running.config, box.facts, running.plan.cgroupPaths, { keyring: "other" }),
  );
  const session = await running.created.client.exec({
    program: steps,
    terminal: true,
    openStdin: false,
    output: false,
  });
  await session.exited;
}

it(
  "files that the container mounts over /proc and /dev/pts meanwhile take no write of exec",
  { timeout: 90_000 },
  async () => {
    const capabilities = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"];
    const sets = { bounding: capabilities, effective: capabilities, permitted: capabilities };
    mkdirSync(join(box.root, "fake"));
    // A /proc with the files that a runtime writes to, and a /dev/pts with a file as its multiplexer; put there and taken away.
    const script = `
    mount -t tmpfs fake /fake; mkdir -p /fake/proc/self/attr /fake/proc/thread-self/attr /fake/proc/sys/net/ipv4 /fake/pts
    for f in proc/self/oom_score_adj proc/self/attr/exec proc/self/attr/current proc/self/attr/keycreate proc/self/setgroups \\
      proc/thread-self/attr/exec proc/self/timerslack_ns pts/ptmx pts/0; do touch /fake/$f; done
    touch /tmp/ready
    while :; do
      mount -o bind /fake/proc /proc && umount /proc
      mount -o bind /fake/pts /dev/pts && umount /dev/pts
    done`;
    const waiting = await box.create(
      box.config(script, { capabilities: sets }, { readonlyPaths: [], maskedPaths: [] }),
    );
    await waiting.created.client.start();
    const root = `/proc/${waiting.created.pid}/root`;
    await expect.poll(() => readFileSync(`${root}/tmp/ready`).length, { timeout: 10_000 }).toBe(0);
    let made = 0;
    for (const end = Date.now() + 3000; Date.now() < end;)
      await execAll(waiting).then(
        () => (made += 1),
        () => undefined,
      );
    expect(made).toBeGreaterThan(0);
    const fake = await treeState(`${root}/fake`);
    const files = fake.filter((line) => / 100\d{3} /.test(line));
    expect(files).toHaveLength(9);
    // The digest of nothing.
    for (const line of files) expect(line).toMatch(/ e3b0c44298fc1c149afbf4c8996fb924\S*$/);
  },
);
