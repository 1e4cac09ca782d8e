/** `containers list`, `info`, `delete`. */
import type { Container } from "#engine";
import { isSampanError } from "#errdefs";
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { table } from "./table.ts";
import { canonicalImage, runtimeName } from "./words.ts";

export const containerList = ctrCommand(
  {
    name: "containers list",
    aliases: ["ls"],
    summary: "list containers",
    usage: "[CONTAINER...]",
    options: { quiet: { type: "boolean", short: "q", help: "print only the container id" } },
    examples: ["sampan ctr containers list"],
  },
  async ({ quiet }, wanted, context) => {
    const containers = (await context.engine())
      .containers()
      .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (quiet === true) process.stdout.write(containers.map(({ name }) => `${name}\n`).join(""));
    else {
      const rows = containers.map((one) => [one.name, canonicalImage(one.record.image), runtimeName]);
      process.stdout.write(table([["CONTAINER", "IMAGE", "RUNTIME"], ...rows], { padding: 4, least: 4 }));
    }
    return 0;
  },
);

export const containerInfo = ctrCommand(
  {
    name: "containers info",
    summary: "all that is known of a container, as JSON",
    usage: "CONTAINER",
    options: { spec: { type: "boolean", help: "only its runtime-spec configuration" } },
    examples: ["sampan ctr containers info redis"],
  },
  async ({ spec }, [id = ""], context) => {
    const container = await context.container(id);
    const { createdAt, resolved, image } = container.record;
    const time = new Date(createdAt).toISOString();
    const info = {
      ID: container.name,
      Labels: resolved.labels,
      Image: canonicalImage(image),
      Runtime: { Name: runtimeName, Options: null },
      SnapshotKey: container.id,
      Snapshotter: "overlayfs",
      CreatedAt: time,
      UpdatedAt: time,
      Extensions: null,
      Spec: container.runtimeConfig(),
    };
    process.stdout.write(`${JSON.stringify(spec === true ? info.Spec : info, plain, 4)}\n`);
    return 0;
  },
);

/** Maps and large numbers are what JSON has no words for. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === "bigint") return Number(value);
  return value;
}

export const containerDelete = ctrCommand(
  {
    name: "containers delete",
    aliases: ["del", "remove", "rm"],
    summary: "delete containers that do not run, with what they have written",
    usage: "CONTAINER...",
    options: {},
    examples: ["sampan ctr containers delete redis"],
  },
  async (_, ids, context) => {
    if (ids.length === 0) throw new CtrFailure("must specify at least one container to delete: invalid argument");
    let failure: Error | undefined;
    for (const id of ids) {
      try {
        await deleteContainer(await context.container(id));
      } catch (error) {
        if (!(error instanceof CtrFailure) && !isSampanError(error)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return 0;
  },
);

/** With its task, where that has ended. */
async function deleteContainer(container: Container): Promise<void> {
  const { status } = container.summary();
  if (status === "running" || status === "paused")
    throw new CtrFailure(`cannot delete a non stopped container: {${status} 0 0001-01-01 00:00:00 +0000 UTC}`);
  await container.remove({ volumes: true });
}
