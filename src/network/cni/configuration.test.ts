import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { parseCniList } from "./configuration.ts";

const bridge = { type: "bridge", bridge: "cni0", ipam: { type: "host-local" } };
const portmap = { type: "portmap", capabilities: { portMappings: true, snat: false } };
const parse = (value: unknown, path = "/etc/cni/net.d/10-lan.conflist") => parseCniList(JSON.stringify(value), path);

/** Message and place of the error that reading ends with. */
function refusal(text: string, path = "/n/10-lan.conflist"): readonly [string, string | undefined] {
  try {
    parseCniList(text, path);
  } catch (error) {
    if (isSampanError(error, "failed-precondition")) return [error.message, error.fields.config];
    throw error;
  }
  throw new Error("it was read");
}

describe("parseCniList()", () => {
  it("reads a list with its plugins", () => {
    expect(
      parse({ cniVersion: "1.0.0", name: "lan", disableCheck: true, disableGC: "true", plugins: [bridge, portmap] }),
    ).toEqual({
      name: "lan",
      version: "1.0.0",
      versions: ["1.0.0"],
      disableCheck: true,
      disableGC: true,
      loadOnlyInlinedPlugins: false,
      plugins: [
        { type: "bridge", capabilities: [], raw: bridge },
        { type: "portmap", capabilities: ["portMappings"], raw: portmap },
      ],
      path: "/etc/cni/net.d/10-lan.conflist",
    });
  });

  it("takes the configuration of one plugin for a list of one, from .conf and .json", () => {
    const one = { cniVersion: "0.3.1", name: "one", ...bridge };
    for (const path of ["/n/1.conf", "/n/1.json"])
      expect(parse(one, path)).toEqual({
        name: "one",
        version: "0.3.1",
        versions: ["0.3.1"],
        disableCheck: false,
        disableGC: false,
        loadOnlyInlinedPlugins: true,
        plugins: [{ type: "bridge", capabilities: [], raw: one }],
        path,
      });
  });

  it("chooses the latest of cniVersion and cniVersions that it knows", () => {
    const versions = (more: object) => {
      const { version, versions: all } = parse({ name: "a", plugins: [bridge], ...more });
      return [version, all];
    };
    expect(versions({ cniVersion: "0.4.0", cniVersions: ["9.0.0", "1.1.0", "0.3.0"] })).toEqual([
      "1.1.0",
      ["0.3.0", "0.4.0", "1.1.0"],
    ]);
    expect(versions({ cniVersions: ["1.0.0"] })).toEqual(["1.0.0", ["1.0.0"]]);
    expect(versions({ cniVersion: "2.0.0", cniVersions: ["1.0.0"] })).toEqual(["1.0.0", ["1.0.0"]]);
  });

  const head = '"cniVersion": "1.0.0", "name": "a"';
  it.each([
    ["", "it is empty", undefined],
    ["{", "it is not JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)", undefined],
    ["[]", "it is a list, must be an object", undefined],
    [
      '{"name": "a", "plugins": []}',
      "cniVersion is missing, must be one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
      "cniVersion",
    ],
    [
      '{"cniVersion": "0.2.0", "name": "a"}',
      "cniVersion is 0.2.0, must be one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
      "cniVersion",
    ],
    ['{"cniVersion": 1, "name": "a"}', "cniVersion is a number, must be a string", "cniVersion"],
    ['{"cniVersions": ["1.0.0", "x"]}', 'cniVersions[1] is "x", must be a version such as 1.1.0', "cniVersions[1]"],
    ['{"cniVersion": "1.0.0", "plugins": []}', "name is missing, must be a string", "name"],
    [
      '{"cniVersion": "1.0.0", "name": "../a"}',
      'name is "../a", must be at most 128 letters, digits, "_", "." and "-", the first a letter or a digit',
      "name",
    ],
    [`{${head}, "plugins": {}}`, "plugins is an object, must be a list", "plugins"],
    [`{${head}, "plugins": [{}]}`, "plugins[0].type is missing, must be a string", "plugins[0].type"],
    [
      `{${head}, "plugins": [{"type": "../../bin/sh"}]}`,
      'plugins[0].type is "../../bin/sh", must be a program\'s name without "/"',
      "plugins[0].type",
    ],
    [
      `{${head}, "plugins": [{"type": "a"}, {"type": "b", "capabilities": {"mac": 1}}]}`,
      "plugins[1].capabilities.mac is a number, must be true or false",
      "plugins[1].capabilities.mac",
    ],
    [`{${head}, "disableCheck": "no"}`, "disableCheck is a string, must be true or false", "disableCheck"],
    [
      `{${head}, "loadOnlyInlinedPlugins": true, "plugins": []}`,
      "plugins is empty, must have a plugin where loadOnlyInlinedPlugins is true",
      "plugins",
    ],
    [`{${head}, "x": ${"[".repeat(70)}${"]".repeat(70)}}`, "it has values more than 64 deep", undefined],
    [
      `{${head}, "plugins": [${Array.from({ length: 65 }, () => '{"type":"a"}').join()}]}`,
      "plugins has 65 items, at most 64 are allowed",
      "plugins",
    ],
  ])("says of %j what is wrong, and where", (text, state, config) => {
    expect(refusal(text)).toEqual([`Cannot read CNI configuration "/n/10-lan.conflist": ${state}`, config]);
  });

  it("gives a list, or an error that names the file, for any JSON and any text", () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record(
          {
            cniVersion: fc.constantFrom("1.0.0", "1.1.0", "0.1.0", ""),
            name: fc.oneof(fc.constant("a"), fc.string()),
            plugins: fc.oneof(fc.array(fc.record({ type: fc.string(), capabilities: fc.jsonValue() })), fc.jsonValue()),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          expect(parseCniList(one, "/n/x.conf").plugins).toBeInstanceOf(Array);
        } catch (error) {
          if (!isSampanError(error, "failed-precondition")) throw error;
          expect(error.fields.path).toBe("/n/x.conf");
        }
      }),
      { numRuns: 2000 },
    );
  });
});
