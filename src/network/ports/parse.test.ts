import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { parsePublish } from "./parse.ts";

describe("parsePublish()", () => {
  it("reads all forms", () => {
    expect(parsePublish("80")).toEqual([{ protocol: "tcp", port: 80 }]);
    expect(parsePublish("8080:80/udp")).toEqual([{ protocol: "udp", hostPorts: [8080, 8080], port: 80 }]);
    expect(parsePublish("127.0.0.1::80/sctp")).toEqual([{ protocol: "sctp", hostAddress: "127.0.0.1", port: 80 }]);
    expect(parsePublish("[2001:db8::1]:8080:80")).toEqual([
      { protocol: "tcp", hostAddress: "2001:db8::1", hostPorts: [8080, 8080], port: 80 },
    ]);
    expect(parsePublish("8000-8001:90-91")).toEqual([
      { protocol: "tcp", hostPorts: [8000, 8000], port: 90 },
      { protocol: "tcp", hostPorts: [8001, 8001], port: 91 },
    ]);
    expect(parsePublish("8000-8009:80")).toEqual([{ protocol: "tcp", hostPorts: [8000, 8009], port: 80 }]);
    expect(parsePublish("80-81").map((request) => request.port)).toEqual([80, 81]);
  });

  it.each([
    ["", '"" is no port'],
    ["0", "ports are 1 to 65535"],
    ["80:65536", "ports are 1 to 65535"],
    ["80:", '"" is no port'],
    [":80", "the port of the host is missing"],
    ["90-80", "the range ends before it begins"],
    ["1-20000", "a range has at most 10000 ports"],
    ["80-81:80-82", "the two ranges have different lengths"],
    ["80/icmp", "the protocol is one of tcp, udp, sctp"],
    ["80/tcp/udp", "it has two protocols"],
    ["localhost:80:80", '"localhost" is no address'],
    ["1.2.3:80:80", '"1.2.3" is no address'],
    ["::1:80:80", "it has too many colons or too few"],
    ["[::1]:80", "it has too many colons or too few"],
    ["80 ", '"80 " is no port'],
  ])("refuses %j", (text, state) => {
    expect(() => parsePublish(text)).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: `Cannot publish "${text}": ${state}` }),
    );
  });

  it("gives requests or its own error for any text", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-z:./[\]-]{0,24}$/), (text) => {
        try {
          expect(parsePublish(text).length).toBeGreaterThan(0);
        } catch (error) {
          if (!isSampanError(error, "invalid-argument")) throw error;
        }
      }),
    );
  });
});
