/** The floor, `floor.c`, as a command and in one process. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { command, rowLength, run, type Prepare } from "./subject.ts";

export const floorCommand: Prepare = async (place) => {
  const work = join(place.directory, "floor-once");
  await mkdir(work);
  const argv = [place.floor, "once", place.rootfs, work, place.cgroup, "/bin/true"];
  return command(place, "floor, as a command", () => argv);
};

export const floorInProcess: Prepare = async (place) => {
  const work = join(place.directory, "floor-loop");
  await mkdir(work);
  return {
    name: "floor, in one process",
    async sample(gap) {
      const args = [String(rowLength(gap) + 1), String(gap), place.rootfs, work, place.cgroup, "/bin/true"];
      const { stdout } = await run(place.floor, ["loop", ...args]);
      // The first one is still cold, which the subject that it is compared with, a warm process, is not.
      return (JSON.parse(stdout) as { samples: number[] }).samples.slice(1);
    },
    async [Symbol.asyncDispose]() {},
  };
};
