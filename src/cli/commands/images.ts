import { command } from "../command.ts";
import type { Listing } from "../format/print-rows.ts";
import { reachEngine } from "../open.ts";

export const images = command(
  {
    name: "images",
    summary: "List images",
    usage: "",
    positionals: [0, 0],
    options: {
      digests: { type: "boolean", help: "print what each name stands for" },
      filter: {
        type: "list",
        short: "f",
        value: "KEY=VALUE",
        help: "only those of reference=PATTERN, dangling=true, label=KEY[=VALUE], before=IMAGE, since=IMAGE",
      },
      format: {
        type: "string",
        value: "FORMAT",
        help: "json, table, or a template such as '{{.Repository}}:{{.Tag}}'",
      },
      "no-trunc": { type: "boolean", help: "print ids in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan images", "sampan images --filter reference='debian:*' --digests"],
  },
  async (values, _, globals) => {
    const { humanDuration, humanSize, splitName } = await import("#engine");
    const { rowPrinter } = await import("../format/print-rows.ts");
    const print = rowPrinter(values.format, imageListing(values.digests === true));
    await using engine = await reachEngine(globals);
    const list = await engine.images(values.filter);
    const id = (digest: string): string => (values["no-trunc"] === true ? digest : digest.slice(7, 19));
    if (values.quiet === true) {
      process.stdout.write([...new Set(list.map((i) => `${id(i.id)}\n`))].join(""));
      return 0;
    }
    const now = Date.now();
    const rows = list.map((i) => {
      const { repository, tag } = splitName(i.name);
      const created = Date.parse(i.created);
      const known = !Number.isNaN(created) && created > 0;
      return {
        Repository: repository,
        Tag: tag,
        Digest: i.target,
        ID: id(i.id),
        Platform: i.platform,
        CreatedSince: known ? `${humanDuration(now - created)} ago` : "N/A",
        CreatedAt: known ? new Date(created).toISOString() : "N/A",
        Size: humanSize(i.size),
      };
    });
    process.stdout.write(print(rows));
    return 0;
  },
);

const imageListing = (digests: boolean): Listing => ({
  headers: {
    Repository: "REPOSITORY",
    Tag: "TAG",
    Digest: "DIGEST",
    ID: "IMAGE ID",
    Platform: "PLATFORM",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    Size: "SIZE",
  },
  columns: ["Repository", "Tag", ...(digests ? ["Digest"] : []), "ID", "Platform", "CreatedSince", "Size"],
});
