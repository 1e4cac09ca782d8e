import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Lab } from "./support.ts";

// GHSA-7ww5-4wqc-m92c: containers could read the processor's power consumption, and from that what others compute.

const hidden = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

let lab: Lab;
let image: string;
beforeAll(async () => {
  lab = await Lab.create();
  image = await lab.image("plain");
});
afterAll(() => lab[Symbol.asyncDispose]());

it("the plan hides every path that tells of the host, whether this kernel has it or not", async () => {
  const { stdout } = await lab.host.sampan(["explain", "--json", image]);
  const masked = [...stdout.matchAll(/"op":\s*"mask",\s*"path":\s*"([^"]+)"/g)].map(([, path]) => path);
  expect(masked).toEqual(expect.arrayContaining(hidden));
});

it.each([[[]], [["--cap-add", "ALL"]]])("run %j reads nothing there, and can't uncover it", async (flags) => {
  const present = hidden.filter((path) => existsSync(path));
  expect(present.length).toBeGreaterThan(3);
  const script = present
    .map((path) => `umount ${path} 2>/dev/null; [ -d ${path} ] && ls -A ${path} | wc -l || wc -c < ${path}`)
    .join("; ");
  // What CAP_SYS_ADMIN may unmount is not hidden from it; without it the masks hold.
  const without = flags.length === 0 ? [] : ["--cap-drop", "SYS_ADMIN"];
  expect((await lab.shell([...flags, ...without], image, script)).split("\n")).toEqual(present.map(() => "0"));
  expect(
    await lab.shell(
      flags,
      image,
      "find /sys -name 'energy_uj' -o -name 'core_throttle_count' 2>/dev/null | xargs -r cat 2>/dev/null",
    ),
  ).toBe("");
});

it.each(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/sys"])(
  "%s is read-only",
  async (path) => {
    const probe = `f=$(find ${path} -type f -perm -200 2>/dev/null | head -n1); [ -n "$f" ] || f=${path}/x; echo > "$f"`;
    const { stderr, code } = await lab.run([], image, ["sh", "-c", probe]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/Read-only file system|nonexistent/);
  },
);
