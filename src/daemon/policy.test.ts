import { describe, expect, it } from "vitest";
import { Policy, type AllowRule, type Peer } from "./policy.ts";

const rule = (fields: Partial<AllowRule>): AllowRule => ({ calls: ["all"], binds: [], privileged: false, ...fields });
const refusal = (action: () => void): string => {
  try {
    action();
    return "allowed";
  } catch (error) {
    return (error as Error).message;
  }
};
const user: Peer = { pid: 5, uid: 1000, gid: 100 };
const create = "sampan.v1.Containers/Create";

describe("Policy.check()", () => {
  it("allows everything where there are no rules, and root where there are", () => {
    expect(refusal(() => new Policy([], 0).check(user, "default", create))).toBe("allowed");
    expect(refusal(() => new Policy([rule({ uid: 5 })], 0).check({ uid: 0 }, "default", create))).toBe("allowed");
  });

  it("allows what a rule of the uid, the gid or the certificate names", () => {
    const calls = (rules: readonly AllowRule[], peer: Peer): readonly string[] =>
      [create, "sampan.v1.Containers/List", "sampan.v1.Images/Pull"].map((method) =>
        refusal(() => new Policy(rules, 0).check(peer, "default", method)),
      );
    const no = (method: string, who: string): string => `Cannot call "${method}": ${who} is not allowed to`;
    const who = "uid 1000, gid 100, pid 5";
    expect(calls([rule({ uid: 1000, calls: ["read"] })], user)).toStrictEqual([
      no(create, who),
      "allowed",
      no("sampan.v1.Images/Pull", who),
    ]);
    expect(calls([rule({ gid: 100, calls: ["containers"] })], user)).toStrictEqual([
      "allowed",
      "allowed",
      no("sampan.v1.Images/Pull", who),
    ]);
    expect(calls([rule({ certificate: "ci", calls: ["sampan.v1.Images/Pull"] })], { certificate: "ci" })).toStrictEqual(
      [no(create, 'certificate "ci"'), no("sampan.v1.Containers/List", 'certificate "ci"'), "allowed"],
    );
    expect(calls([rule({ uid: 1001 })], user)[1]).toBe(no("sampan.v1.Containers/List", who));
  });

  it("allows only the namespaces of a rule that names some", () => {
    const policy = new Policy([rule({ uid: 1000, namespaces: ["dev"] })], 0);
    const inNamespace = (name: string): string => refusal(() => policy.check(user, name, create));
    expect([inNamespace("dev"), inNamespace("default") === "allowed"]).toStrictEqual(["allowed", false]);
  });

  it("a client that nothing is known of fits no rule", () => {
    expect(refusal(() => new Policy([rule({ uid: 1000 })], 0).check({}, "default", create))).toBe(
      `Cannot call "${create}": an unknown client is not allowed to`,
    );
  });

  it("lets a container mount only what is below a directory of a rule, and have no privileges without one", () => {
    const policy = new Policy([rule({ uid: 1000, binds: ["/srv/data"] })], 0);
    const mount = (...binds: readonly string[]): string =>
      refusal(() => policy.check(user, "default", create, { binds, privileges: [] }));
    expect(mount("/srv/data", "/srv/data/x")).toBe("allowed");
    expect(mount("/srv/data", "/etc")).toBe('Cannot mount "/etc": uid 1000, gid 100, pid 5 is not allowed to');
    expect(mount("/srv/database")).toMatch(/^Cannot mount/);
    expect(refusal(() => policy.check(user, "default", create, { binds: [], privileges: ["--privileged"] }))).toBe(
      "Cannot use --privileged: uid 1000, gid 100, pid 5 is not allowed to",
    );
    const more = new Policy([rule({ uid: 1000, privileged: true })], 0);
    expect(refusal(() => more.check(user, "default", create, { binds: [], privileges: ["--privileged"] }))).toBe(
      "allowed",
    );
  });
});
