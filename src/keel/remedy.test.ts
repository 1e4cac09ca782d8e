import { constants } from "node:os";
import { expect, test } from "vitest";
import { remedyOf } from "./remedy.ts";

const { ENOSPC, EINVAL, ENOENT, ERANGE, EPERM } = constants.errno;

test("remedyOf() says what the kernel's errno does not", () => {
  expect(
    remedyOf({ op: "write-file", path: "/cgroup/cpuset/x/cpuset.cpus", data: "99", tolerate: false }, ERANGE),
  ).toContain("processor");
  expect(
    remedyOf({ op: "write-file", path: "/cgroup/pids/x/pids.max", data: "99", tolerate: false }, EINVAL),
  ).toBeUndefined();
  expect(remedyOf({ op: "sysctl", key: "net/x", value: "1" }, ENOENT)).toContain("no such parameter");
  expect(remedyOf({ op: "sysctl", key: "net/x", value: "1" }, EPERM)).toBeUndefined();
  expect(remedyOf(undefined, ENOSPC)).toContain("Free some space");
  expect(remedyOf(undefined, ENOENT)).toBeUndefined();
});
