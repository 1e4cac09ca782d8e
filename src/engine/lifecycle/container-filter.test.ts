import { describe, expect, it } from "vitest";
import { containerFilter } from "./container-filter.ts";
import type { ContainerSummary } from "./summary.ts";

const container: ContainerSummary = {
  id: "0123456789ab".padEnd(64, "0"),
  name: "web-front",
  image: "localhost/node",
  imageId: "sha256:1",
  command: ["node"],
  createdAt: 1000,
  status: "exited",
  state: { status: "none" },
  labels: { tier: "front", empty: "" },
  exitCode: 3,
  health: "healthy",
  mounts: [{ name: "site", source: "/x/site/_data", target: "/site" }],
  networks: ["backend"],
  ports: [{ port: 80, protocol: "tcp", hostPort: 8080, hostAddress: "0.0.0.0", address: "10.88.0.2" }],
  exposed: ["80/tcp", "53/udp"],
};

const matches = (key: string, ...values: string[]): boolean =>
  containerFilter(
    { [key]: values },
    { image: (name) => (name === "base" ? ["sha256:1"] : [name]), createdAt: (name) => Number(name) },
  )(container);

describe("containerFilter()", () => {
  it.each([
    ["id", "0123", true],
    ["id", "123", false],
    ["name", "front", true],
    ["name", "^front", false],
    ["name", "^web-front$", true],
    ["name", "web.*t$", true],
    ["name", "web$", false],
    ["label", "tier", true],
    ["label", "tier=front", true],
    ["label", "tier=", false],
    ["label", "empty=", true],
    ["exited", "3", true],
    ["exited", "0", false],
    ["status", "exited", true],
    ["status", "running", false],
    ["health", "healthy", true],
    ["ancestor", "base", true],
    ["ancestor", "localhost/node", true],
    ["ancestor", "other", false],
    ["before", "1001", true],
    ["before", "1000", false],
    ["since", "999", true],
    ["volume", "site", true],
    ["volume", "/site", true],
    ["volume", "/other", false],
    ["network", "backend", true],
    ["publish", "8000-9000", true],
    ["publish", "80", false],
    ["publish", "53/udp", false],
    ["expose", "53/udp", true],
  ])("%s=%s: %s", (key, value, expected) => {
    expect(matches(key, value)).toBe(expected);
  });

  it("takes values of one key as alternatives, but all labels must hold", () => {
    expect(matches("exited", "0", "3")).toBe(true);
    expect(matches("label", "tier", "none")).toBe(false);
  });

  it.each([
    ["colour", "red", 'by "colour": there is no such filter'],
    ["status", "up", "by status=up: it is one of created, "],
    ["exited", "x", 'filter exited "x"'],
    ["publish", "9-8", "by publish=9-8: it is not PORT"],
  ])("refuses %s=%s", (key, value, problem) => {
    expect(() => matches(key, value)).toThrow(problem);
  });
});
