/** `sampan-oci` with seccomp profiles whose decisions are an agent's, and others. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syscallAbis } from "../../src/plan/seccomp/syscalls.ts";
import { LineProcess } from "../support/line-process.ts";
import { OciHost } from "../support/oci-host.ts";

let host: OciHost;
beforeAll(async () => {
  host = await OciHost.create();
});
afterAll(async () => await host[Symbol.asyncDispose]());

const abi = process.arch === "arm64" ? syscallAbis.SCMP_ARCH_AARCH64 : syscallAbis.SCMP_ARCH_X86_64;
const chmod = abi.numbers().get("chmod") ?? abi.numbers().get("fchmodat") ?? -1;
const enomedium = 123;

interface Told {
  readonly text: string;
  readonly kinds: readonly string[];
}

describe("sampan-oci, with a seccomp profile", () => {
  it.each([true, false])("run and exec let the agent decide (no new privileges: %s)", async (noNewPrivileges) => {
    const id = `agent-${noNewPrivileges}`;
    const path = join(host.host.files, `${id}.sock`);
    const bundle = await host.bundle(id, (c) => {
      c.process.args = ["sleep", "1000"];
      c.process["noNewPrivileges"] = noNewPrivileges;
      c.annotations = { a: "b" };
      c.linux["seccomp"] = {
        defaultAction: "SCMP_ACT_ALLOW",
        flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        listenerPath: path,
        listenerMetadata: "chmod=no",
        syscalls: [{ names: ["chmod", "fchmodat", "fchmodat2", "clock_nanosleep"], action: "SCMP_ACT_NOTIFY" }],
      };
    });
    using agent = await LineProcess.start("seccomp-agent.py", path, "answer", String(chmod), String(-enomedium));
    await host.mustDetach(["create", "--bundle", bundle, id]);
    await host.must(["start", id]);
    const told = (await agent.next()) as Told;
    const { pid } = await host.stateOf(id);
    expect(told.kinds).toEqual(["anon_inode:seccomp notify"]);
    expect(JSON.parse(told.text)).toEqual({
      ociVersion: "1.3.0",
      fds: ["seccompFd"],
      pid,
      metadata: "chmod=no",
      state: { ociVersion: "1.3.0", id, status: "creating", pid, bundle, annotations: { a: "b" } },
    });

    const execPath = `${path}.exec`;
    await host.host.must(["mv", path, `${path}.first`]);
    using second = await LineProcess.start("seccomp-agent.py", execPath, "answer", String(chmod), String(-enomedium));
    await host.host.must(["mv", execPath, path]);
    const result = await host.oci(["exec", id, "chmod", "600", "/tmp"]);
    expect(result.stderr).toContain("No medium found");
    expect(result.code).toBe(1);
    const { text } = (await second.next()) as Told;
    const state = JSON.parse(text) as { pid: number; state: object };
    expect(state).toMatchObject({ state: { status: "running", pid }, metadata: "chmod=no" });
    expect(state.pid).not.toBe(pid);
    await host.must(["delete", "--force", id]);
  });

  it("create fails when the agent is not there, or has no path", async () => {
    const rules = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mount"], action: "SCMP_ACT_NOTIFY" }] };
    const path = join(host.host.files, "nobody.sock");
    const failing = async (id: string, seccomp: object): Promise<string> => {
      const bundle = await host.bundle(id, (c) => (c.linux["seccomp"] = seccomp));
      const { code, stderr } = await host.detached(["create", "--bundle", bundle, id]);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await failing("no-agent", { ...rules, listenerPath: path })).toContain(
      "Cannot connect to the seccomp agent",
    );
    expect(await failing("no-path", rules)).toContain("SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
    expect(await failing("default", { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: path })).toContain(
      "SCMP_ACT_NOTIFY cannot be used as default action",
    );
  });

  it("exec answers with the profile's errno", async () => {
    const bundle = await host.bundle("errno", (c) => {
      c.process.args = ["sleep", "1000"];
      c.linux["seccomp"] = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 100 }],
      };
    });
    await host.mustDetach(["create", "--bundle", bundle, "errno"]);
    await host.must(["start", "errno"]);
    const result = await host.oci(["exec", "errno", "mkdir", "/dev/shm/x"]);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("Network is down") as string });
    await host.must(["delete", "--force", "errno"]);
  });
});
