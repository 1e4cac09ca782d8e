import { describe, expect, it } from "vitest";
import { planVolumeMount } from "./plan-volume.ts";

const operations = (type: string, device: string, o: string): unknown =>
  planVolumeMount({ type, device, options: o.split(",").filter((w) => w !== ""), target: "/v/_data" }).steps.map(
    (s) => s.operation,
  );

describe("planVolumeMount()", () => {
  it("mounts a filesystem with its own options, and flags as attributes", () => {
    expect(operations("tmpfs", "tmpfs", "size=1m,noexec,mode=1770")).toStrictEqual([
      { op: "root-directory", path: "/" },
      {
        op: "mount",
        type: "tmpfs",
        source: "tmpfs",
        target: "/v/_data",
        attributes: 8n,
        parameters: [
          { key: "size", value: "1m" },
          { key: "mode", value: "1770" },
        ],
        mode: 0o755,
      },
    ]);
  });

  it.each(["none", "bind", ""])("binds with type %j and o=bind", (type) => {
    expect(operations(type, "/srv", "bind,ro")).toStrictEqual([
      { op: "root-directory", path: "/" },
      {
        op: "bind",
        source: "/srv",
        target: "/v/_data",
        recursive: false,
        set: 1n,
        clear: 0n,
        setRecursive: 0n,
        clearRecursive: 0n,
        propagation: 0n,
        propagationRecursive: false,
      },
    ]);
  });

  it.each([
    ["none", "/srv", "", "it needs an option type, or o=bind"],
    ["none", "srv", "bind", "device is not an absolute path"],
    ["none", "/srv", "bind,size=1m", 'option "size=1m" is one of filesystems'],
    ["tmpfs", "tmpfs", "tmpcopyup", "one of them is for containers only"],
  ])("refuses type=%s device=%s o=%s", (type, device, o, problem) => {
    expect(() => operations(type, device, o)).toThrow(problem);
  });
});
