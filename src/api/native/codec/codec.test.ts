/** The engine's data and errors as messages and back. */
import { create, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { ConnectError, Code } from "@connectrpc/connect";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { internal, notFound, SampanError, type ErrorCode } from "#errdefs";
import { ContainerSummarySchema, ExecOptionsSchema } from "../gen/sampan/v1/containers_pb.ts";
import { ContainerOptionsSchema } from "../gen/sampan/v1/options_pb.ts";
import { fromConnectError, toConnectError } from "./errors.ts";
import { toMessage, toPlain } from "./plain.ts";

const options = {
  image: "debian:12",
  command: ["sh", "-c", "exit 3"],
  entrypoint: [],
  env: ["A=b", "C="],
  labels: { a: "b", __proto__x: "" },
  mounts: [{ type: "tmpfs", target: "/t", tmpfsOptions: ["size=64m"], readOnly: false }],
  memory: "64m",
  memorySwap: "-1",
  cpus: "0.5",
  pidsLimit: -1,
  seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mount"], action: "SCMP_ACT_ERRNO" }] },
  ulimits: [{ name: "nofile", soft: -1, hard: 4096 }],
  devices: [{ hostPath: "/dev/null", path: "/dev/x", permissions: "rw" }],
  tty: false,
  stopTimeout: 0,
};

describe("toMessage() and toPlain()", () => {
  it("bring options over the wire and over JSON as they were", () => {
    const message = toMessage(ContainerOptionsSchema, options);
    const binary = fromBinary(ContainerOptionsSchema, toBinary(ContainerOptionsSchema, message));
    expect(toPlain(ContainerOptionsSchema, binary)).toStrictEqual(options);
    const json = fromJsonString(ContainerOptionsSchema, toJsonString(ContainerOptionsSchema, message));
    expect(toPlain(ContainerOptionsSchema, json)).toStrictEqual(options);
  });

  it("make texts of sizes that are numbers, and leave out what is undefined or empty", () => {
    const message = toMessage(ContainerOptionsSchema, { image: "a", memory: 64, name: undefined, capAdd: [] });
    expect(toPlain(ContainerOptionsSchema, message)).toStrictEqual({ image: "a", memory: "64" });
  });

  it("toMessage() refuses an option that the interface has no field for", () => {
    expect(() => toMessage(ContainerOptionsSchema, { image: "a", nosuch: 1 })).toThrow(
      'Cannot send "nosuch": sampan.v1.ContainerOptions has no such field',
    );
  });

  it("carry what an answer has beyond its fields, but never in place of a field", () => {
    const summary = { id: "1", name: "n", image: "i", createdAt: 5, status: "running", health: { status: "healthy" } };
    const message = toMessage(ContainerSummarySchema, summary);
    expect(toPlain(ContainerSummarySchema, message)).toStrictEqual(summary);
    message.more = { name: "other" };
    expect(() => toPlain(ContainerSummarySchema, message)).toThrow('"name" is not a field of "more"');
  });

  it("every option of the library has a field", () => {
    const source = ["options.ts", "isolation-options.ts"]
      .map((name) => readFileSync(new URL(`../../../engine/${name}`, import.meta.url), "utf8"))
      .join("\n");
    const declared = (name: string): readonly string[] => {
      const body = new RegExp(`export interface ${name} [^{]*\\{\\n(.*?)\\n\\}`, "s").exec(source)?.[1] ?? "";
      return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((m) => m[1] ?? "");
    };
    expect(declared("ContainerOptions").length).toBeGreaterThan(35);
    const fields = Object.keys(ContainerOptionsSchema.field);
    const all = [...declared("ContainerOptions"), ...declared("IsolationOptions")];
    expect(all.filter((name) => !fields.includes(name))).toStrictEqual([]);
    const exec = Object.keys(ExecOptionsSchema.field);
    // `output` is the opposite of `detach`; `quiet` is for the engine's own health checks.
    const others = new Set(["output", "quiet"]);
    expect(declared("ExecOptions").filter((name) => !others.has(name) && !exec.includes(name))).toStrictEqual([]);
  });
});

describe("toConnectError() and fromConnectError()", () => {
  const code = fc.constantFrom<ErrorCode>(
    ...(["invalid-argument", "not-found", "already-exists", "permission-denied", "failed-precondition"] as const),
    ...(["resource-exhausted", "unavailable", "data-loss", "unsupported", "cancelled", "internal"] as const),
  );
  const text = fc.option(fc.string(), { nil: undefined });
  const number = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined });

  it("give the client the error that the engine threw, with all its fields", () => {
    fc.assert(
      fc.property(
        code,
        fc.string(),
        fc.record({ operation: text, path: text, remedy: text, errno: number, step: number, config: text }),
        (kind, message, fields) => {
          const defined = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
          const wire = toConnectError(new SampanError(kind, message, defined));
          // What reaches a client is the detail's bytes.
          const received = new ConnectError(wire.rawMessage, wire.code);
          received.details = wire.details;
          const thrown = fromConnectError(received, "unix:///s") as SampanError;
          expect([thrown.code, thrown.message, thrown.fields]).toStrictEqual([kind, message, defined]);
        },
      ),
    );
  });

  it("use the protocol's code of each kind", () => {
    expect(toConnectError(notFound("x")).code).toBe(Code.NotFound);
    expect(toConnectError(internal("x")).code).toBe(Code.Internal);
  });

  it("tell nothing of what was not meant for clients", () => {
    const { rawMessage, details } = toConnectError(new Error("secret"));
    expect([rawMessage, details]).toStrictEqual(["Cannot answer: an internal error", []]);
  });

  it("say so where the daemon is not reached", () => {
    expect(fromConnectError(new ConnectError("connect ECONNREFUSED", Code.Unavailable), "unix:///s")).toMatchObject({
      code: "unavailable",
      message: 'Cannot reach the daemon at "unix:///s": connect ECONNREFUSED',
      fields: { path: "unix:///s" },
    });
  });

  it("leave other errors alone", () => {
    const error = create(ContainerSummarySchema);
    expect(fromConnectError(error, "")).toBe(error);
  });
});
