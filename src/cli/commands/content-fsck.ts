import type { Engine } from "#engine";
import { command, type GlobalOptions } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const contentFsck = command(
  {
    name: "content fsck",
    summary: "Look for damage of blobs, layers and images, and repair it",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", value: "json", help: "print one JSON object a finding" },
      quick: { type: "boolean", help: "see only whether all is there, without reading it" },
      repair: { type: "boolean", help: "set damaged things aside, and get them again; remove what nothing needs" },
    },
    examples: ["sampan content fsck", "sampan content fsck --repair"],
  },
  async (values, _, globals) => {
    const { harmlessFindings } = await import("#engine");
    const { checkFormat } = await import("../table.ts");
    checkFormat(values.format);
    await using engine = await (values.repair === true
      ? openEngine(globals, { onDamage: "rebuild" })
      : openToLook(globals));
    const signal = interruption();
    for (const line of engine.recovered) process.stderr.write(`${line}\n`);
    const findings = await engine.housekeeping.check({ quick: values.quick === true, signal });
    for (const { kind, key, state, images } of findings) {
      const users = images.length === 0 ? "" : ` (${images.join(", ")})`;
      if (values.format === "json") process.stdout.write(`${JSON.stringify({ kind, key, state, images })}\n`);
      else process.stdout.write(`${kind.replace("-", " ")} ${key}: ${state}${users}\n`);
    }
    const bad = findings.filter(({ kind }) => !harmlessFindings.has(kind));
    if (values.repair !== true) {
      const harmless = findings.length - bad.length;
      process.stderr.write(
        bad.length === 0
          ? `No damage${harmless === 0 ? "" : `; ${harmless} harmless findings`}\n`
          : `${bad.length} damaged or missing; sampan content fsck --repair repairs what it can\n`,
      );
      return bad.length === 0 ? 0 : 1;
    }
    const { done, failed } = await engine.housekeeping.repair(findings, signal);
    for (const line of done) process.stderr.write(`Repair: ${line}\n`);
    for (const line of failed) process.stderr.write(`Not repaired: ${line}\n`);
    const left = await engine.housekeeping.check({ quick: true, signal });
    const worse = left.filter(({ kind }) => !harmlessFindings.has(kind));
    for (const { kind, key, state } of worse)
      process.stderr.write(`Left: ${kind.replace("-", " ")} ${key}: ${state}\n`);
    return worse.length === 0 && failed.length === 0 ? 0 : 1;
  },
);

/** On a disk that cannot be written one can still look. */
async function openToLook(globals: GlobalOptions): Promise<Engine> {
  const { fromSystemError, isSampanError } = await import("#errdefs");
  try {
    return await openEngine(globals);
  } catch (error) {
    if (!isSampanError(fromSystemError(error), "permission-denied") || process.getuid?.() !== 0) throw error;
    return await openEngine(globals, { readOnly: true });
  }
}
