import { describe, expect, it } from "vitest";
import type { HostFacts } from "../host-facts.ts";
import { brieflySteps } from "../testing/brief.ts";
import { hostV1, hostV2, options, sampleConfig } from "../testing/samples.ts";
import { planContainer } from "./plan-container.ts";
import { planExec } from "./plan-exec.ts";

const appArmor: HostFacts = { ...hostV2, lsm: ["capability", "landlock", "apparmor"] };
const seLinux: HostFacts = { ...hostV1, lsm: ["capability", "selinux"] };
const label = "system_u:system_r:container_t:s0:c124,c675";
const mountLabel = "system_u:object_r:container_file_t:s0:c124,c675";
const labels = /^(security-attribute|keyring|directory-xattr|bounding-set|seccomp|exec)|context/;

const plan = (facts: HostFacts, process: object, linux: object = {}, rest: object = {}): string[] =>
  brieflySteps(planContainer(sampleConfig(process, linux, rest), facts, options).steps);

describe("planContainer()", () => {
  it("writes an AppArmor profile, also a stacked one, while nothing is filtered yet", () => {
    for (const profile of ["docker-default", "&mine", "first//&:ns:second"])
      expect(plan(appArmor, { apparmorProfile: profile }).filter((line) => labels.test(line))).toEqual([
        "keyring name=abc",
        `security-attribute module=apparmor attribute=exec value="exec ${profile}"`,
        "bounding-set keep=0xa80425fb",
        "seccomp program=<72 bytes> flags=4",
        expect.stringMatching(/^exec /) as string,
      ]);
  });

  it("takes no profile and `unconfined` for nothing, on any host", () => {
    for (const apparmorProfile of ["", "unconfined"])
      expect(plan(hostV1, { apparmorProfile })).toEqual(plan(hostV1, {}));
    expect(() => plan(appArmor, { apparmorProfile: "a b" })).toThrow('Cannot apply AppArmor profile "a b"');
  });

  it("labels process, keyring, and the filesystems that it makes, but not the kernel's own", () => {
    expect(
      plan(seLinux, { selinuxLabel: label }, { mountLabel }).filter(
        (line) => labels.test(line) && !line.startsWith("exec"),
      ),
    ).toEqual([
      `security-attribute module="" attribute=keycreate value=${label}`,
      "keyring name=abc",
      'security-attribute module="" attribute=keycreate value=""',
      `root-overlay lower=[/l/2 /l/1] upper=/c/upper work=/c/work parameters=[context:${mountLabel}] target=/c/root`,
      `mount type=tmpfs source=tmpfs target=/dev attributes=0x22 parameters=[mode:755 size:65536k context:${mountLabel}] mode=0755`,
      `mount type=devpts source=devpts target=/dev/pts attributes=0xa parameters=[newinstance: ptmxmode:0666 mode:0620 gid:5 context:${mountLabel}] mode=0755`,
      `mount type=tmpfs source=cgroup target=/sys/fs/cgroup attributes=0xe parameters=[mode:755 size:64k context:${mountLabel}] mode=0755`,
      `directory-xattr path=/dev/mqueue name=security.selinux value=${mountLabel}`,
      `mount type=tmpfs source=shm target=/dev/shm attributes=0xe parameters=[mode:1777 size:67108864 context:${mountLabel}] mode=0755`,
      `security-attribute module="" attribute=exec value=${label}`,
      "bounding-set keep=0xa80425fb",
      "seccomp program=<72 bytes> flags=4",
    ]);
  });

  it("leaves a label that a mount's options say", () => {
    const mounts = [{ destination: "/x", type: "tmpfs", options: ["rootcontext=u:r:t:s0", "mode=755"] }];
    expect(plan(seLinux, {}, { mountLabel }, { mounts }).filter((line) => line.startsWith("mount type=tmpfs"))).toEqual(
      ["mount type=tmpfs source=tmpfs target=/x attributes=0 parameters=[rootcontext:u:r:t:s0 mode:755] mode=0755"],
    );
  });

  it("refuses a label that would end a line or a quote", () => {
    for (const bad of ["a\nb", 'a"b'])
      expect(() => plan(seLinux, {}, { mountLabel: bad })).toThrow("it has a quote or a control character");
  });
});

describe("planExec()", () => {
  it("confines the process as the container, or as it says itself", () => {
    const config = sampleConfig({ apparmorProfile: "outer", selinuxLabel: label });
    const facts = { ...hostV2, lsm: ["apparmor", "selinux"] };
    const { cgroupPaths } = planContainer(config, facts, options);
    const { process } = sampleConfig();
    if (process === undefined) throw new Error("no process");
    const lines = (own: object): string[] =>
      brieflySteps(planExec({ ...process, ...own }, config, facts, cgroupPaths, {}).steps).filter((line) =>
        line.startsWith("security"),
      );
    const selinux = `security-attribute module="" attribute=exec value=${label}`;
    expect(lines({ apparmorProfile: "" })).toEqual([
      'security-attribute module=apparmor attribute=exec value="exec outer"',
      selinux,
    ]);
    expect(lines({ apparmorProfile: "inner" })).toEqual([
      'security-attribute module=apparmor attribute=exec value="exec inner"',
      selinux,
    ]);
  });
});
