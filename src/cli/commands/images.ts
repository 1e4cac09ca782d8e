import { command } from "../command.ts";
import { reachEngine } from "../open.ts";
import { checkFormat, printTable } from "../table.ts";

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
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      "no-trunc": { type: "boolean", help: "print ids in full" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan images", "sampan images --filter reference='debian:*' --digests"],
  },
  async (values, _, globals) => {
    const { humanDuration, humanSize, splitName } = await import("#engine");
    checkFormat(values.format);
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
      return {
        repository,
        tag,
        digest: i.target,
        id: id(i.id),
        platform: i.platform,
        created: Number.isNaN(created) || created <= 0 ? "N/A" : `${humanDuration(now - created)} ago`,
        size: humanSize(i.size),
      };
    });
    if (values.format === "json") {
      const lines = rows.map(
        (r) =>
          `${JSON.stringify({ Repository: r.repository, Tag: r.tag, Digest: r.digest, ID: r.id, Platform: r.platform, CreatedSince: r.created, Size: r.size })}\n`,
      );
      process.stdout.write(lines.join(""));
      return 0;
    }
    const digests = values.digests === true;
    printTable(
      ["REPOSITORY", "TAG", ...(digests ? ["DIGEST"] : []), "IMAGE ID", "PLATFORM", "CREATED", "SIZE"],
      rows.map((r) => [r.repository, r.tag, ...(digests ? [r.digest] : []), r.id, r.platform, r.created, r.size]),
    );
    return 0;
  },
);
