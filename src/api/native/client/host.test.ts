import { describe, expect, it } from "vitest";
import { formatHost, parseHost } from "./host.ts";

describe("parseHost()", () => {
  it.each([
    ["/run/s.sock", { kind: "unix", path: "/run/s.sock" }],
    ["unix:///run/s.sock", { kind: "unix", path: "/run/s.sock" }],
    ["tcp://host.example:7443", { kind: "tcp", host: "host.example", port: 7443 }],
    ["https://10.0.0.1:1/", { kind: "tcp", host: "10.0.0.1", port: 1 }],
    ["tcp://[fd00::1]:7443", { kind: "tcp", host: "fd00::1", port: 7443 }],
  ])("reads %s", (text, host) => {
    expect(parseHost(text)).toStrictEqual(host);
    expect(parseHost(formatHost(parseHost(text)))).toStrictEqual(host);
  });

  it.each(["", "host", "tcp://host", "tcp://:1", "tcp://h:0", "tcp://h:65536", "unix://relative", "ssh://h:1"])(
    "refuses %j",
    (text) => {
      expect(() => parseHost(text)).toThrow(/^Cannot parse host/);
    },
  );
});
