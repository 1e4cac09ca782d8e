import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { processStartTime } from "#host";
import { readState } from "./state.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-state-"));
afterAll(() => rmSync(directory, { recursive: true }));
const own = `${process.pid} ${processStartTime(process.pid)}`;
const gone = `${process.pid} 1`;

/** The state that these pid and exit files tell, of a container that was started. */
function state(pid: string, exit?: string): string {
  writeFileSync(join(directory, "started"), "5");
  writeFileSync(join(directory, "pid"), pid);
  rmSync(join(directory, "exit"), { force: true });
  if (exit !== undefined) writeFileSync(join(directory, "exit"), exit);
  return readState(directory).status;
}

test("readState() tells lost from ended by the monitor, which notes the end after its clean-up", () => {
  expect(state(`${own} ${own}\n`)).toBe("running");
  expect(state(`${gone} ${own}\n`)).toBe("running");
  expect(state(`${gone} ${gone}\n`)).toBe("lost");
  expect(state(`${gone} ${own}\n`, "3 0 0 1 000000000\n")).toBe("stopped");
});
