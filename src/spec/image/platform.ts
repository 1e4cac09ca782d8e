import { invalidArgument } from "#errdefs";
import type { DocumentReader, JsonObject } from "./reader.ts";
import type { Platform } from "./types.ts";

const component = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Platform field of a descriptor, or the platform fields of an image configuration. */
export function parsePlatformObject(object: JsonObject, path: string, reader: DocumentReader): Platform {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const variant = reader.optionalString(object["variant"], at("variant"));
  const osVersion = reader.optionalString(object["os.version"], at("os.version"));
  const word = (name: string): string => {
    const text = reader.string(object[name], at(name));
    if (!component.test(text)) reader.fail(at(name), `is "${text.slice(0, 40)}", which no platform has`);
    return text;
  };
  if (variant !== "" && !component.test(variant)) word("variant");
  return normalizePlatform({
    os: word("os"),
    architecture: word("architecture"),
    ...(variant !== "" && { variant }),
    ...(osVersion !== "" && { osVersion }),
  });
}

/**
 * Reads a platform as users write it: `os/architecture[/variant]`, or an architecture alone, which is Linux's.
 *
 * @throws SampanError `invalid-argument`
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  const fail = (state: string): never => {
    throw invalidArgument(`Cannot use platform "${text}": ${state}`, { remedy: "Write it like linux/amd64" });
  };
  if (parts.length > 3) fail("it has more than three parts");
  for (const part of parts) {
    if (part === "") fail("a part is empty");
    if (!component.test(part)) fail(`"${part}" has a character that no platform has`);
  }
  const [os = "", architecture, variant] = parts;
  if (architecture === undefined) {
    const platform = normalizePlatform({ os: "linux", architecture: os });
    if (!architectures.has(platform.architecture)) fail("no such architecture is known");
    return platform;
  }
  return normalizePlatform({ os, architecture, ...(variant !== undefined && { variant }) });
}

/** `os/architecture[/variant]`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Names of GOARCH for Linux, which image-spec image-index.md refers to. */
const architectures: ReadonlySet<string> = new Set(
  "386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x".split(" "),
);

const aliases: ReadonlyMap<string, Pick<Platform, "architecture" | "variant">> = new Map([
  ["i386", { architecture: "386" }],
  ["i686", { architecture: "386" }],
  ["x86_64", { architecture: "amd64" }],
  ["x86-64", { architecture: "amd64" }],
  ["x64", { architecture: "amd64" }],
  ["ia32", { architecture: "386" }],
  ["aarch64", { architecture: "arm64" }],
  ["armhf", { architecture: "arm", variant: "v7" }],
  ["armel", { architecture: "arm", variant: "v6" }],
]);

/**
 * One spelling for each platform, so that two can be compared: lower case, GOARCH names, and the usual variant of an
 * architecture left out (arm64 means v8, amd64 means v1) or filled in (arm means v7), as containerd does.
 */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const named = platform.architecture.toLowerCase();
  const alias = aliases.get(named);
  const architecture = alias?.architecture ?? named;
  const variant = normalizeVariant(architecture, (platform.variant ?? alias?.variant ?? "").toLowerCase());
  return {
    os: os === "macos" ? "darwin" : os,
    architecture,
    ...(variant !== "" && { variant }),
    ...(platform.osVersion !== undefined && { osVersion: platform.osVersion }),
  };
}

function normalizeVariant(architecture: string, variant: string): string {
  const version = /^\d/.test(variant) ? `v${variant}` : variant;
  switch (architecture) {
    case "amd64":
      return version === "v1" ? "" : version;
    case "arm64":
      return version === "v8" || version === "v8.0" ? "" : version.replace(/^v9\.0$/, "v9");
    case "arm":
      return version === "" ? "v7" : version;
    default:
      return variant;
  }
}

/**
 * How well an image for `candidate` runs where `wanted` is asked for: 0 is exact, higher is worse, undefined is not at
 * all. An amd64 machine runs older amd64 variants and 386, an arm64 machine older variants and 32-bit arm.
 */
export function platformDistance(wanted: Platform, candidate: Platform): number | undefined {
  const want = normalizePlatform(wanted);
  const have = normalizePlatform(candidate);
  if (want.os !== have.os) return undefined;
  if (want.osVersion !== undefined && have.osVersion !== undefined && want.osVersion !== have.osVersion) {
    return undefined;
  }
  if (want.architecture === have.architecture) return variantDistance(want, have);
  if (want.architecture === "amd64" && have.architecture === "386") return 100;
  if (want.architecture === "arm64" && have.architecture === "arm") {
    const distance = variantDistance({ ...have, variant: "v8" }, have);
    return distance === undefined ? undefined : 100 + distance;
  }
  return undefined;
}

function variantDistance(want: Platform, have: Platform): number | undefined {
  if (want.variant === have.variant) return 0;
  const wanted = variantNumber(want);
  const offered = variantNumber(have);
  if (wanted === undefined || offered === undefined || offered > wanted) return undefined;
  // Major versions count before minor ones, and both stay below the step to another architecture.
  return Math.min(Math.round((wanted - offered) * 10), 99);
}

const usualVariants: ReadonlyMap<string, string> = new Map([
  ["amd64", "v1"],
  ["arm64", "v8"],
]);

function variantNumber({ architecture, variant }: Platform): number | undefined {
  const match = /^v(\d+)(?:\.(\d+))?$/.exec(variant ?? usualVariants.get(architecture) ?? "");
  return match === null ? undefined : Number(match[1]) + Number(match[2] ?? 0) / 10;
}
