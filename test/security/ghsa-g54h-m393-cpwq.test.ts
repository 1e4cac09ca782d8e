import { afterAll, beforeAll, expect, it } from "vitest";
import { Lab } from "./support.ts";

// GHSA-g54h-m393-cpwq: device rules worked as a list of what is denied, so that a container could make a node of any other
// device, such as the host's disk, and open it.

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.create();
});
afterAll(() => lab[Symbol.asyncDispose]());

// Memory, I/O ports, kernel log, loop control, tun, vhost-net, fuse, vsock, rtc; disks.
const forbidden = [
  "c 1 1",
  "c 1 4",
  "c 1 11",
  "c 10 237",
  "c 10 200",
  "c 10 238",
  "c 10 229",
  "c 10 58",
  "c 249 0",
  "b 254 0",
  "b 8 0",
  "b 259 0",
  "b 7 0",
];
const allowed = ["c 1 3", "c 1 5", "c 1 7", "c 1 8", "c 1 9"];

it("a device that is not listed can be made, but neither read nor written, while the usual ones can", async () => {
  const image = await lab.image("plain");
  const script = [...forbidden, ...allowed]
    .map(
      (device) =>
        `mknod /d ${device} && { head -c1 /d >/dev/null; : >>/d; } 2>&1 | sed 's/.*: //' | sort -u | tr '\\n' ' '; rm /d; echo "${device}"`,
    )
    .join("\n");
  const lines = (await lab.shell([], image, script)).split("\n");
  expect(lines).toEqual([...forbidden.map((device) => `Operation not permitted ${device}`), ...allowed]);
});

it("a device that the image brings along can't be opened", async () => {
  const image = await lab.image("nodes", {
    layers: [
      [
        { path: "disk", type: "block", device: [254, 0], mode: 0o666 },
        { path: "mem", type: "char", device: [1, 1], mode: 0o666 },
        { path: "zero", type: "char", device: [1, 5], mode: 0o666 },
      ],
    ],
  });
  const script =
    "for d in disk mem zero; do head -c4 /$d 2>&1 | od -An -c | head -n1 | tr -d ' '; done; ls -l /disk /mem | cut -c1";
  const lines = (await lab.shell([], image, script)).split("\n");
  expect(lines[0]).toContain("head:");
  expect(lines[1]).toContain("head:");
  expect(lines.slice(2)).toEqual([String.raw`\0\0\0\0`, "b", "c"]);
});

it("exec is under the same rules", async () => {
  const image = await lab.image("plain");
  const id = await lab.start([], image);
  const { stdout } = await lab.host.sampan(["exec", id, "sh", "-c", "mknod /d b 254 0; head -c1 /d 2>&1"]);
  expect(stdout).toContain("Operation not permitted");
});
