import { constants } from "node:os";
import { expect, test } from "vitest";
import { remedyOf } from "./remedy.ts";

const { ENOSPC, EINVAL, ENOENT, ERANGE, EPERM, EOPNOTSUPP } = constants.errno;

test("remedyOf() says what the kernel's errno does not", () => {
  expect(
    remedyOf({ op: "write-file", path: "/cgroup/cpuset/x/cpuset.cpus", data: "99", tolerate: false }, ERANGE),
  ).toContain("processor");
  expect(
    remedyOf({ op: "write-file", path: "/cgroup/pids/x/pids.max", data: "99", tolerate: false }, EINVAL),
  ).toBeUndefined();
  expect(remedyOf({ op: "sysctl", key: "net/x", value: "1" }, ENOENT)).toContain("no such parameter");
  expect(remedyOf({ op: "sysctl", key: "net/x", value: "1" }, EPERM)).toBeUndefined();
  const scheduler = { op: "scheduler", flags: 0n, nice: 0, runtime: 0n, deadline: 0n, period: 0n } as const;
  expect(remedyOf({ ...scheduler, policy: 6, priority: 0 }, EPERM)).toContain("every processor");
  expect(remedyOf({ ...scheduler, policy: 1, priority: 5 }, EPERM)).toContain("realtimeRuntime");
  const attribute = { op: "security-attribute", module: "apparmor", attribute: "exec" } as const;
  expect(remedyOf({ ...attribute, value: "exec x" }, ENOENT)).toContain("has not loaded such a profile");
  const landlock = { op: "landlock", bestEffort: false, paths: [], ports: [], handledNetwork: 0n } as const;
  expect(remedyOf({ ...landlock, handledFiles: 0x8001n, scoped: 2n }, EOPNOTSUPP)).toBe(
    "ioctl_dev takes version 5 (Linux 6.10), signal takes version 6 (Linux 6.12), and landlock among the kernel's security modules; with bestEffort what is missing is left out",
  );
  expect(remedyOf({ ...landlock, handledFiles: 1n, scoped: 0n }, EOPNOTSUPP)).toContain("Landlock takes Linux 5.13");
  expect(remedyOf(undefined, ENOSPC)).toContain("Free some space");
  expect(remedyOf(undefined, ENOENT)).toBeUndefined();
});
