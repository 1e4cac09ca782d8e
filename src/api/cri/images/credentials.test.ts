import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AuthConfigSchema } from "../gen/runtime/v1/images_pb.ts";
import { pullCredentials } from "./credentials.ts";

const given = (auth: object, domain = "registry.test:5000") => pullCredentials(create(AuthConfigSchema, auth), domain);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("pullCredentials()", () => {
  it.each([
    [{}, undefined],
    [
      { username: "a", password: "b" },
      { username: "a", password: "b" },
    ],
    [{ auth: base64("a:b:c") }, { username: "a", password: "b:c" }],
    [{ auth: base64("a:b\0\0") }, { username: "a", password: "b" }],
    [{ identityToken: "t", username: "a" }, { identityToken: "t" }],
    [{ registryToken: "r", identityToken: "t" }, { registryToken: "r" }],
    [
      { username: "a", serverAddress: "registry.test:5000" },
      { username: "a", password: "" },
    ],
    [
      { username: "a", serverAddress: "https://registry.test:5000/v1/" },
      { username: "a", password: "" },
    ],
    [{ username: "a", serverAddress: "https://registry.test" }, undefined],
    [{ registryToken: "r", serverAddress: "evil.test" }, undefined],
  ])("%j: %j", (auth, expected) => expect(given(auth)).toStrictEqual(expected));

  it("takes Docker Hub's old address for its new one, and says of bad text no more than that it is", () => {
    const auth = { username: "a", serverAddress: "https://index.docker.io/v1/" };
    expect(given(auth, "docker.io")).toStrictEqual({ username: "a", password: "" });
    expect(() => given({ auth: base64("secret") })).toThrow(/^Cannot log in to the registry: auth.auth is not base64/);
    expect(pullCredentials(undefined, "docker.io")).toBeUndefined();
  });
});
