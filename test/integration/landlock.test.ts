/** Landlock by annotation, on the real kernel: what the rules forbid is tried from inside. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { KeelExecutor, keelPath } from "#keel";
import { buildKeel } from "../support/monitored.ts";
import { PlannedBox } from "../support/planned-box.ts";

beforeAll(buildKeel);

const commands = ["touch", "mkdir", "rm", "echo", "nc", "kill", "id", "truncate", "ls"];
const writing = ["write_file", "make_reg", "make_dir", "remove_file", "remove_dir", "refer", "truncate"];
const annotated = (landlock: object): object => ({
  annotations: { "org.sampan.landlock": JSON.stringify(landlock) },
});
const onlyTmp = annotated({
  handledAccessFS: writing,
  rules: {
    pathBeneath: [
      { allowedAccess: writing, paths: ["/tmp"] },
      { allowedAccess: ["write_file"], paths: ["/dev/null", "/dev/pts"] },
    ],
  },
});
/** Each prints what it could do, or the kernel's answer. */
const script = [
  "echo x > /tmp/x && cat /tmp/x && mkdir /tmp/d && rm -r /tmp/d && echo tmp",
  "echo x > /x; mkdir /d; echo x > /present; rm /bin/cat",
  "echo x > /dev/null && echo null",
  "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status",
].join("\n");
const denied = [
  "x",
  "tmp",
  "sh: can't create /x: Permission denied",
  "mkdir: can't create directory '/d': Permission denied",
  "sh: can't create /present: Permission denied",
  "rm: can't remove '/bin/cat': Permission denied",
  "null",
];

describe("landlock", () => {
  for (const noNewPrivileges of [true, false])
    it(`lets a container write only below /tmp, ${noNewPrivileges ? "with" : "without"} no_new_privs, and exec too`, async () => {
      await using box = new PlannedBox([...commands, "grep"]);
      writeFileSync(join(box.root, "present"), "");
      const process = { noNewPrivileges };
      const seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
      const end = [`NoNewPrivs:\t${noNewPrivileges ? 1 : 0}`, "Seccomp:\t2"];
      const linux = { seccomp };
      expect((await box.run(box.config(`{ ${script}\n} 2>&1`, process, linux, onlyTmp))).lines).toEqual([
        ...denied,
        ...end,
      ]);
      const waiting = await box.wait(process, linux, onlyTmp);
      expect((await box.exec(waiting, `exec 2>&1\n${script}`, process)).lines).toEqual([...denied, ...end]);
      // It is Landlock that forbids it.
      expect((await box.run(box.config("echo x > /x && echo written", process, linux))).lines).toEqual(["written"]);
    });

  it("holds for a user other than root, and for reading and executing", async () => {
    await using box = new PlannedBox(commands);
    const rules = annotated({
      handledAccessFS: ["execute", "read_file", "read_dir"],
      rules: {
        pathBeneath: [{ allowedAccess: ["execute", "read_file"], paths: ["/bin"] }],
      },
    });
    const config = box.config(
      "{ id -u; ls /bin; cat /etc/secret; cat /proc/version; } 2>&1",
      {
        user: { uid: 1000, gid: 1000 },
      },
      {},
      rules,
    );
    expect((await box.run(config)).lines).toEqual([
      "1000",
      "ls: can't open '/bin': Permission denied",
      "cat: can't open '/etc/secret': No such file or directory",
      "cat: can't open '/proc/version': Permission denied",
    ]);
  });

  it("limits TCP ports, and signals to outside", async () => {
    await using box = new PlannedBox(commands);
    const rules = annotated({
      handledAccessNet: ["bind_tcp", "connect_tcp"],
      scoped: ["signal", "abstract_unix_socket"],
      rules: { netPort: [{ allowedAccess: ["bind_tcp", "connect_tcp"], ports: [7001] }] },
    });
    const waiting = await box.wait({}, {}, rules);
    const lines = async (text: string): Promise<readonly string[]> =>
      (await box.exec(waiting, `exec 2>&1\n${text}`)).lines;
    expect(await lines("echo hello | nc -l -p 7001 & sleep 0.3; nc 127.0.0.1 7001 < /dev/null; wait")).toEqual([
      "hello",
    ]);
    expect(await lines("nc -l -p 7002")).toEqual(["nc: bind: Permission denied"]);
    expect(await lines("nc 127.0.0.1 7002")).toEqual([
      expect.stringMatching(/127\.0\.0\.1.*Permission denied$/) as string,
    ]);
    // Another process of the container, but not of this one's domain.
    expect(await lines("kill -0 1")).toEqual([expect.stringContaining("Operation not permitted") as string]);
  });

  it("refuses what this kernel lacks, and names it; or leaves it out when it may", async () => {
    await using keel = new KeelExecutor(keelPath());
    const future = (bestEffort: boolean) =>
      ({
        op: "landlock",
        handledFiles: 1n << 40n,
        handledNetwork: 0n,
        scoped: 0n,
        bestEffort,
        paths: [{ path: "/", access: 1n << 40n }],
        ports: [],
      }) as const;
    await expect(keel.execute([future(false)])).rejects.toMatchObject({
      code: "failed-precondition",
      message: expect.stringMatching(
        /^Cannot restrict the process with Landlock: operation not supported.*\("this kernel has version \d+"\)$/,
      ) as string,
    });
    await keel.execute([future(true)]);
  });

  it("refuses a path that is not there, by its name", async () => {
    await using box = new PlannedBox(commands);
    const rules = annotated({
      handledAccessFS: ["execute"],
      rules: { pathBeneath: [{ allowedAccess: ["execute"], paths: ["/none"] }] },
    });
    await expect(box.run(box.config("", {}, {}, rules))).rejects.toMatchObject({
      message: 'Cannot restrict the process with Landlock: no such file or directory ("/none")',
      fields: { remedy: "A path of a rule must exist when the container starts" },
    });
  });
});
