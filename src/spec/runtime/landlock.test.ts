import { describe, expect, it } from "vitest";
import { parseRuntimeConfig } from "./parse.ts";

const parse = (annotation: unknown) =>
  parseRuntimeConfig({
    ociVersion: "1.3.0",
    annotations: {
      "org.sampan.landlock": typeof annotation === "string" ? annotation : JSON.stringify(annotation),
    },
  }).linux.landlock;
const rules = (rule: object) => parse({ handledAccessFS: ["execute"], rules: rule });

describe("readLandlock()", () => {
  it("reads rules for files and ports", () => {
    expect(
      parse({
        handledAccessFS: ["write_file", "make_reg"],
        handledAccessNet: ["connect_tcp"],
        scoped: ["signal"],
        rules: {
          pathBeneath: [{ allowedAccess: ["write_file"], paths: ["/tmp", "/dev/null"] }],
          netPort: [{ allowedAccess: ["connect_tcp"], ports: [443, 80] }],
        },
        bestEffort: true,
      }),
    ).toEqual({
      handledFiles: ["write_file", "make_reg"],
      handledNetwork: ["connect_tcp"],
      scoped: ["signal"],
      paths: [{ access: ["write_file"], paths: ["/tmp", "/dev/null"] }],
      ports: [{ access: ["connect_tcp"], ports: [443, 80] }],
      bestEffort: true,
    });
    expect(parse({ handledAccessFS: ["execute"] })).toEqual({
      handledFiles: ["execute"],
      handledNetwork: [],
      scoped: [],
      paths: [],
      ports: [],
      bestEffort: false,
    });
    expect(parseRuntimeConfig({ ociVersion: "1.3.0" }).linux.landlock).toBeUndefined();
  });

  const refusals: readonly (readonly [read: () => unknown, message: string])[] = [
    [() => parse("{"), " must be JSON"],
    [() => parse("[]"), " must be an object"],
    [() => parse({}), " must restrict something: handledAccessFS, handledAccessNet and scoped are empty"],
    [() => parse({ handledAccessFs: ["execute"] }), ' must not have "handledAccessFs", only handledAccessFS,'],
    [() => parse({ handledAccessFS: ["write"] }), ".handledAccessFS[0] must be one of execute, write_file"],
    [() => parse({ handledAccessNet: ["bind_udp"] }), ".handledAccessNet[0] must be one of bind_tcp, connect_tcp"],
    [() => parse({ scoped: ["signals"] }), ".scoped[0] must be one of abstract_unix_socket, signal"],
    [() => parse({ scoped: ["signal"], bestEffort: 1 }), ".bestEffort must be true or false"],
    [() => rules({ paths: [] }), '.rules must not have "paths", only pathBeneath, netPort'],
    [
      () => rules({ pathBeneath: [{ allowedAccess: ["write_file"], paths: ["/"] }] }),
      ".rules.pathBeneath[0].allowedAccess[0] must be one of handledAccessFS: execute",
    ],
    [
      () => rules({ pathBeneath: [{ allowedAccess: ["execute"], paths: ["/a", "b"] }] }),
      ".rules.pathBeneath[0].paths[1] must be an absolute path",
    ],
    [() => rules({ pathBeneath: [{ allowedAccess: ["execute"] }] }), ".rules.pathBeneath[0].paths must not be empty"],
    [
      () => rules({ netPort: [{ allowedAccess: ["bind_tcp"], ports: [1] }] }),
      ".rules.netPort[0].allowedAccess[0] must be one of handledAccessNet: it is empty",
    ],
    [
      () =>
        parse({
          handledAccessNet: ["bind_tcp"],
          rules: { netPort: [{ allowedAccess: ["bind_tcp"], ports: [65_536] }] },
        }),
      ".rules.netPort[0].ports[0] must be an integer from 0 to 65535",
    ],
  ];
  for (const [read, message] of refusals)
    it(`refuses with "${message}"`, () => {
      expect(read).toThrow(`Cannot read config: annotations["org.sampan.landlock"]${message}`);
    });
});
