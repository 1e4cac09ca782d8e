import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HostResolvers, parseResolvConf } from "./resolv-conf.ts";

describe("parseResolvConf()", () => {
  it("reads name servers, at most three, and this machine without any", () => {
    expect(
      parseResolvConf("# c\nnameserver 192.0.2.1\n nameserver\tfe80::1%eth0 x\nsearch a b\nnameserver x\n"),
    ).toEqual(["192.0.2.1", "fe80::1%eth0"]);
    expect(parseResolvConf("nameserver 1.1.1.1\n".repeat(4))).toHaveLength(3);
    expect(parseResolvConf("options rotate\n")).toEqual(["127.0.0.1"]);
  });
});

describe("HostResolvers", () => {
  it("notices another file, and keeps what it knows while there is none", () => {
    const directory = mkdtempSync(join(tmpdir(), "sampan-"));
    const path = join(directory, "resolv.conf");
    const resolvers = new HostResolvers(path);
    expect(resolvers.servers(0)).toEqual(["127.0.0.1"]);
    writeFileSync(path, "nameserver 192.0.2.1\n");
    expect(resolvers.servers(1000)).toEqual(["192.0.2.1"]);
    writeFileSync(`${path}.new`, "nameserver 192.0.2.2\n");
    renameSync(`${path}.new`, path);
    expect(resolvers.servers(1500)).toEqual(["192.0.2.1"]);
    expect(resolvers.servers(2000)).toEqual(["192.0.2.2"]);
    rmSync(directory, { recursive: true });
    expect(resolvers.servers(3000)).toEqual(["192.0.2.2"]);
  });
});
