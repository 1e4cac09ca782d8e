import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { startOrphan } from "#keel";
import type { Operation } from "#plan";
import { checkout } from "../support/checkout.ts";
import { buildKeel, containerProgram, parentOf, shell } from "../support/monitored.ts";
import { OrphanHost } from "../support/orphans.ts";

beforeAll(buildKeel);

const program = (directory: string, command: readonly string[]): readonly Operation[] =>
  containerProgram(command, { before: [{ op: "start-socket", directory }] });

describe.each(["keel", "keel-sanitized"])("%s orphan", (binary) => {
  const keel = join(checkout, "build/native", binary);

  test("is its subreaper's child, waits for its start, and has the caller's stdio", async () => {
    await using host = new OrphanHost(keel);
    const state = host.state();
    const operations = program(state, shell("cat; echo err >&2; exit 7"));
    const orphan = host.create({ program: operations }, state);
    const { answer, children } = await orphan.created;
    const pid = await orphan.pid();
    expect(answer).toEqual({ kind: "created", pid, monitor: 0 });
    // Nothing of keel, and nothing that is to be reaped.
    expect(children).toEqual([pid]);
    const start = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")[19];
    expect(readFileSync(join(state, "pid"), "utf8")).toBe(`${pid} ${start} 0 0\n`);
    expect(readdirSync(state).sort()).toEqual(["pid", "start.sock"]);
    expect(statSync(join(state, "start.sock")).mode & 0o7777).toBe(0o600);
    expect(parentOf(pid)).toBeGreaterThan(1);
    await startOrphan(state, operations);
    expect(existsSync(join(state, "start.sock"))).toBe(false);
    orphan.stdin.end("through\n");
    expect(await orphan.reaped()).toEqual([{ event: "ended", pid, code: 7 }]);
    expect(String(await orphan.stdout)).toBe("through\n");
    expect(String(await orphan.stderr)).toMatch(/\nerr\n$/);
  });
});
