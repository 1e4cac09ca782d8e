import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSampanError } from "#errdefs";
import { familiarName, formatReference, isLocalReference, parseReference, type Reference } from "./reference.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("parseReference", () => {
  test.each<[string, Omit<Reference, "digest"> & { digest?: string }]>([
    ["nginx", { domain: "docker.io", path: "library/nginx", tag: "latest" }],
    ["nginx:1.25", { domain: "docker.io", path: "library/nginx", tag: "1.25" }],
    ["bitnami/redis", { domain: "docker.io", path: "bitnami/redis", tag: "latest" }],
    ["docker.io/nginx", { domain: "docker.io", path: "library/nginx", tag: "latest" }],
    ["index.docker.io/library/nginx", { domain: "docker.io", path: "library/nginx", tag: "latest" }],
    ["localhost/node", { domain: "localhost", path: "node", tag: "latest" }],
    ["localhost:5000/node:20", { domain: "localhost:5000", path: "node", tag: "20" }],
    ["127.0.0.1:5000/a/b/c", { domain: "127.0.0.1:5000", path: "a/b/c", tag: "latest" }],
    ["[::1]:5000/a", { domain: "[::1]:5000", path: "a", tag: "latest" }],
    ["example.com/a__b/c-d.e", { domain: "example.com", path: "a__b/c-d.e", tag: "latest" }],
    ["Example/a", { domain: "Example", path: "a", tag: "latest" }],
    [`nginx@${digest}`, { domain: "docker.io", path: "library/nginx", digest }],
    [`nginx:1@${digest}`, { domain: "docker.io", path: "library/nginx", tag: "1", digest }],
    [`host:1/x@${digest}`, { domain: "host:1", path: "x", digest }],
  ])("reads %s", (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  test.each([
    ["", "it is empty"],
    ["Nginx", '"Nginx" has upper-case letters, a repository is lower case'],
    ["example.com/Foo", '"Foo" has upper-case letters, a repository is lower case'],
    ["nginx:", "the tag after the colon is empty"],
    ["nginx:a b", '"a b" is no tag: letters, digits, "_", "." and "-" are allowed'],
    [`nginx:${"a".repeat(129)}`, "the tag is longer than 128 characters"],
    ["example.com//a", "a part of the name is empty"],
    ["example.com/a/", "a part of the name is empty"],
    ["a..b", '"a..b" has separators at an end or next to each other'],
    ["-a", '"-a" has separators at an end or next to each other'],
    ["a$b", '"a$b" has a character other than lower-case letters, digits, ".", "_" and "-"'],
    ["exa_mple.com/a", '"exa_mple.com" is no host name'],
    ["host:99999/a", "port 99999 does not exist"],
    ["https://example.com/a", '"https:" is no host name'],
    ["nginx@sha256:abc", "the digest after @ is wrong: 3 digits after sha256:, must be 64"],
    ["nginx@md5:abc", "the digest after @ is wrong: algorithm md5 is not known, must be sha256 or sha512"],
    ["a".repeat(256), "the name is longer than 255 characters"],
    ["a".repeat(64), "64 hexadecimal digits are an image's id"],
  ])("refuses %j", (text, state) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: `Cannot use image name "${text}": ${state}` }),
    );
  });

  test("reads what formatReference and familiarName print as the same reference", () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
    const domain = fc.oneof(
      fc.constantFrom("docker.io", "localhost", "localhost:5000", "example.com", "[::1]:80", "Host"),
      fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z]{2,3}(?::[1-9][0-9]{0,3})?$/),
    );
    const reference = fc
      .record({
        domain,
        path: fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
        tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
        digest: fc.option(fc.constant(digest), { nil: undefined }),
      })
      .map(({ domain, path, tag, digest }) => `${domain}/${path}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`);
    fc.assert(
      fc.property(reference, (text) => {
        const parsed = parseReference(text);
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
        expect(parseReference(familiarName(parsed))).toEqual(parsed);
      }),
    );
  });

  test("never throws anything but a SampanError", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        let error: unknown;
        try {
          parseReference(text);
        } catch (caught) {
          error = caught;
        }
        expect(error === undefined || isSampanError(error, "invalid-argument")).toBe(true);
      }),
    );
  });
});

describe("familiarName", () => {
  test.each([
    ["docker.io/library/nginx", "nginx:latest"],
    ["docker.io/bitnami/redis:7", "bitnami/redis:7"],
    ["docker.io/foo.bar/baz", "docker.io/foo.bar/baz:latest"],
    ["docker.io/library/a/b", "library/a/b:latest"],
    [`localhost/node@${digest}`, `localhost/node@${digest}`],
  ])("prints %s as %s", (text, familiar) => {
    expect(familiarName(parseReference(text))).toBe(familiar);
  });
});

test("isLocalReference() is true below localhost without a port only", () => {
  expect(isLocalReference(parseReference("localhost/a"))).toBe(true);
  expect(isLocalReference(parseReference("localhost:5000/a"))).toBe(false);
  expect(isLocalReference(parseReference("a"))).toBe(false);
});
