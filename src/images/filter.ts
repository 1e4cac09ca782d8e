import { invalidArgument } from "#errdefs";
import { familiarName, familiarRepository, parseReference } from "#spec";
import type { ImageStore, ImageSummary } from "./image-store.ts";

type Test = (image: ImageSummary) => boolean;

/** Filters of a listing as `images --filter` takes them; all must fit, but of several references one. */
export function parseFilters(filters: readonly string[], store: ImageStore): Test {
  const all: Test[] = [];
  const references: Test[] = [];
  for (const filter of filters) {
    const [key = "", value = ""] = filter.split(/=(.*)/s, 2);
    const fail = (state: string): never => {
      throw invalidArgument(`Cannot parse --filter "${filter}": ${state}`, {
        remedy: "See sampan images --help",
      });
    };
    if (!filter.includes("=")) fail("it is KEY=VALUE");
    switch (key) {
      case "reference":
        references.push(byReference(value));
        break;
      case "dangling":
        if (value !== "true" && value !== "false") fail("dangling is true or false");
        all.push(({ name }) => (name === undefined) === (value === "true"));
        break;
      case "label":
        all.push(byLabel(value, store));
        break;
      case "before":
      case "since":
        all.push(byTime(value, key, store));
        break;
      default:
        fail("filters are reference, dangling, label, before and since");
    }
  }
  if (references.length > 0) all.push((image) => references.some((test) => test(image)));
  return (image) => all.every((test) => test(image));
}

/** A pattern for the name, with or without its tag; `*` and `?` stand for what has no slash in it. */
function byReference(pattern: string): Test {
  const parts = pattern.match(/\[[^\]]+\]|[^]/g) ?? [];
  const text = parts.map((part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1) return part.replaceAll("\\", "\\\\");
    return part.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
  let expression: RegExp;
  try {
    expression = new RegExp(`^${text.join("")}$`, "s");
  } catch (error) {
    throw invalidArgument(`Cannot parse --filter "reference=${pattern}": it is no pattern`, { cause: error });
  }
  return ({ name }) => {
    if (name === undefined) return false;
    const reference = parseReference(name);
    return [familiarName(reference), familiarRepository(reference), name].some((known) => expression.test(known));
  };
}

function byLabel(label: string, store: ImageStore): Test {
  const [key = "", value] = label.split(/=(.*)/s, 2);
  return ({ id }) => {
    const { labels } = store.configOf(id).config;
    return value === undefined ? labels.has(key) : labels.get(key) === value;
  };
}

/** By the times that the images themselves say. */
function byTime(nameOrId: string, key: "before" | "since", store: ImageStore): Test {
  const other = Date.parse(store.resolve(nameOrId).config.created ?? "");
  return ({ created }) => (key === "before" ? Date.parse(created) < other : Date.parse(created) > other);
}
