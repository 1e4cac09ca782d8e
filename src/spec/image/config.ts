import { parsePlatformObject } from "./platform.ts";
import { maxLayers } from "./manifest.ts";
import { DocumentReader, type JsonObject } from "./reader.ts";
import type { HistoryEntry, ImageConfig, ImageRunConfig } from "./types.ts";

/** Most entries of each list in an image's configuration. */
const maxEntries = 10_000;

/**
 * Reads an image configuration (image-spec config.md; Docker's has the same fields).
 *
 * @throws SampanError `invalid-argument` with the field's path, `resource-exhausted` when it is too large
 */
export function parseImageConfig(text: string): ImageConfig {
  const reader = new DocumentReader("the image configuration");
  const object = reader.parse(text);
  const rootfs = reader.object(object["rootfs"], "rootfs");
  if (rootfs["type"] !== "layers") {
    reader.fail("rootfs.type", `is ${JSON.stringify(rootfs["type"]) ?? "missing"}, must be "layers"`);
  }
  const created = reader.optionalString(object["created"], "created");
  const history = parseHistory(object["history"], reader);
  return {
    platform: parsePlatformObject(object, "", reader),
    ...(created !== "" && { created }),
    config: parseRunConfig(reader.optionalObject(object["config"], "config") ?? {}, reader),
    diffIds: reader
      .list(rootfs["diff_ids"], "rootfs.diff_ids", maxLayers)
      .map((value, index) => reader.digest(value, `rootfs.diff_ids[${index}]`)),
    ...(history.length > 0 && { history }),
  };
}

function parseHistory(value: unknown, reader: DocumentReader): readonly HistoryEntry[] {
  return reader.list(value, "history", maxEntries).map((item, index) => {
    const path = `history[${index}]`;
    const entry = reader.object(item, path);
    return {
      created: reader.optionalString(entry["created"], `${path}.created`),
      createdBy: reader.optionalString(entry["created_by"], `${path}.created_by`),
      comment: reader.optionalString(entry["comment"], `${path}.comment`),
      emptyLayer: entry["empty_layer"] === true,
    };
  });
}

function parseRunConfig(object: JsonObject, reader: DocumentReader): ImageRunConfig {
  const text = (name: string): string => reader.optionalString(object[name], `config.${name}`);
  const entrypoint = parseCommand(object, "Entrypoint", reader);
  const cmd = parseCommand(object, "Cmd", reader);
  return {
    user: text("User"),
    exposedPorts: reader.keys(object["ExposedPorts"], "config.ExposedPorts", maxEntries),
    env: reader.strings(object["Env"], "config.Env", maxEntries),
    ...(entrypoint && { entrypoint }),
    ...(cmd && { cmd }),
    volumes: reader.keys(object["Volumes"], "config.Volumes", maxEntries),
    workingDir: text("WorkingDir"),
    labels: new Map(reader.stringEntries(object["Labels"], "config.Labels", maxEntries)),
    stopSignal: text("StopSignal"),
    ...parseHealthcheck(object["Healthcheck"], reader),
  };
}

/** As Docker writes it: durations in nanoseconds. */
function parseHealthcheck(value: unknown, reader: DocumentReader): Pick<ImageRunConfig, "healthcheck"> {
  const object = reader.optionalObject(value, "config.Healthcheck");
  const test = reader.strings(object?.["Test"], "config.Healthcheck.Test", maxEntries);
  if (object === undefined || test.length === 0) return {};
  const number = (name: string): number => {
    const given = object[name] ?? 0;
    if (typeof given !== "number" || !Number.isFinite(given) || given < 0)
      reader.fail(`config.Healthcheck.${name}`, "is not a number");
    return given;
  };
  const milliseconds = (name: string): number => number(name) / 1e6;
  return {
    healthcheck: {
      test,
      interval: milliseconds("Interval"),
      timeout: milliseconds("Timeout"),
      startPeriod: milliseconds("StartPeriod"),
      startInterval: milliseconds("StartInterval"),
      retries: number("Retries"),
    },
  };
}

/** Docker's early images have a string where a list is now. */
function parseCommand(object: JsonObject, name: string, reader: DocumentReader): readonly string[] | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return [reader.string(value, `config.${name}`)];
  return reader.strings(value, `config.${name}`, maxEntries);
}
