/** `images list`, `tag`, `delete`. */
import { isSampanError } from "#errdefs";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { binaryBytes, table } from "./table.ts";

export const imageList = ctrCommand(
  {
    name: "images list",
    aliases: ["ls"],
    summary: "list images",
    usage: "[REF...]",
    options: { quiet: { type: "boolean", short: "q", help: "print only the image refs" } },
    examples: ["sampan ctr images list"],
  },
  async ({ quiet }, wanted, context) => {
    const images = (await context.engine()).imageStore;
    const rows = Map.groupBy(
      images.list().filter(({ name }) => name !== undefined && (wanted.length === 0 || wanted.includes(name))),
      ({ name }) => name ?? "",
    );
    const names = [...rows.keys()].toSorted();
    if (quiet === true) {
      process.stdout.write(names.map((name) => `${name}\n`).join(""));
      return 0;
    }
    const lines = names.map((name) => {
      const platforms = [...new Set((rows.get(name) ?? []).map(({ platform }) => platform))].toSorted();
      const target = images.targetOf(name);
      const { digest = "", mediaType = "", size = 0 } = target ?? {};
      return [name, mediaType, digest, binaryBytes(size), platforms.join(","), "-"];
    });
    process.stdout.write(table([["REF", "TYPE", "DIGEST", "SIZE", "PLATFORMS", "LABELS"], ...lines], { padding: 1 }));
    return 0;
  },
);

export const imageTag = ctrCommand(
  {
    name: "images tag",
    summary: "give an image other names",
    usage: "SOURCE TARGET...",
    options: { force: { type: "boolean", help: "also a name that another image has" } },
    examples: ["sampan ctr images tag docker.io/library/redis:latest docker.io/library/cache:1"],
  },
  async ({ force }, [source = "", ...targets], context) => {
    if (source === "") throw new CtrFailure("please provide an image name to tag from");
    if (targets.length === 0) throw new CtrFailure("please provide an image name to tag to");
    const images = (await context.engine()).imageStore;
    for (const name of targets) {
      if (force !== true && images.targetOf(name) !== undefined)
        throw new CtrFailure(`image "${name}": already exists`);
      images.tag(source, name);
      process.stdout.write(`${name}\n`);
    }
    return 0;
  },
);

export const imageDelete = ctrCommand(
  {
    name: "images delete",
    aliases: ["del", "remove", "rm"],
    summary: "remove images by their names; containers of them keep what they need",
    usage: "REF...",
    options: { sync: { type: "boolean", help: "is always so" } },
    examples: ["sampan ctr images rm docker.io/library/redis:latest"],
  },
  async (_, names, context) => {
    if (names.length === 0) throw new CtrFailure("please provide an image name");
    const engine = await context.engine();
    for (const name of names) {
      try {
        await engine.removeImage(name, { force: true });
        process.stdout.write(`${name}\n`);
      } catch (error) {
        if (!isSampanError(error, "not-found")) throw error;
        process.stderr.write(`${name}: image not found\n`);
      }
    }
    return 0;
  },
);
