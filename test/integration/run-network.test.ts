/** Containers on networks, by the command line: who reaches whom, what their files say, and what is left. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** A container that serves a page with its own name on port 80, until it is removed. */
async function serve(name: string, ...flags: readonly string[]): Promise<void> {
  const script = `mkdir -p /www && echo "page of ${name}" > /www/index.html && exec httpd -f -p 80 -h /www`;
  await stocked.must(["run", "-d", "--name", name, ...flags, stocked.image("busybox"), "sh", "-c", script]);
}

const curl = async (url: string): Promise<string> =>
  (
    await stocked.host.run([
      "curl",
      "-s",
      "--retry",
      "20",
      "--retry-delay",
      "0",
      "--retry-all-errors",
      "--max-time",
      "2",
      url,
    ])
  ).stdout.trim();

describe("run", () => {
  it("puts a container on the default network, publishes its ports, and takes all of it back", async () => {
    await serve("web", "-p", "8080:80", "-p", "127.0.0.1::80");
    expect(await curl("http://127.0.0.1:8080/")).toBe("page of web");
    const seen = await stocked.mustShell(
      ["--name", "peer"],
      "ip -o -4 addr show eth0 | cut -d' ' -f7; ip route; cat /etc/hosts | tail -1; wget -qO- http://10.88.0.2/",
    );
    expect(seen).toBe("");
  });
});
