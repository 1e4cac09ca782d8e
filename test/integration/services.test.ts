/** Real servers of Debian in containers with limits, spoken to by their real clients. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["redis", "nginx"])), 600_000);
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** Asks until the answer is as wanted; the last answer otherwise. */
async function until(ask: () => Promise<string>, wanted: RegExp): Promise<string> {
  let answer = "";
  for (let attempt = 0; attempt < 100; attempt++) {
    answer = await ask();
    if (wanted.test(answer)) return answer;
    await sleep(50);
  }
  return answer;
}

const limits = ["--memory", "128m", "--cpus", "0.5", "--pids-limit", "32"];

describe("redis-server", () => {
  const redis = async (name: string, ...words: string[]): Promise<string> =>
    (await stocked.host.sampan(["exec", name, "redis-cli", ...words])).stdout.trim();

  it("runs as its own user, read-only but for its volume, keeps data over containers, and ends in good order", async () => {
    const start = async (name: string): Promise<void> => {
      const flags = ["run", "-d", "--name", name, ...limits, "--read-only", "-v", "store:/data"];
      await stocked.must([...flags, stocked.image("redis")]);
      expect(await until(() => redis(name, "ping"), /PONG/)).toBe("PONG");
    };
    await start("first");
    expect(await redis("first", "set", "key", "value of the first")).toBe("OK");
    expect(await stocked.must(["exec", "first", "sh", "-c", "id -un; stat -c %U /data"])).toBe("redis\nredis");
    expect((await stocked.host.sampan(["exec", "first", "sh", "-c", "touch /etc/x"])).code).not.toBe(0);
    await stocked.must(["stop", "first"]);
    expect((await stocked.inspect("first")).State).toMatchObject({ Status: "exited", ExitCode: 0, OOMKilled: false });
    expect(await stocked.must(["logs", "first"])).toMatch(/Ready to accept connections[\s\S]*bye bye/);
    await stocked.must(["rm", "first"]);

    await start("second");
    expect(await redis("second", "get", "key")).toBe("value of the first");
    await stocked.must(["rm", "-f", "second"]);
  });

  it("is reached by a client of the host through the host's network, and benchmarked within its limits", async () => {
    const flags = ["run", "-d", "--rm", "--name", "open", ...limits, "--network", "host"];
    await stocked.must([...flags, stocked.image("redis"), "--port", "7001", "--save", ""]);
    const client = async (...words: string[]): Promise<string> =>
      (await stocked.host.run(["redis-cli", "-p", "7001", ...words])).stdout.trim();
    expect(await until(() => client("ping"), /PONG/)).toBe("PONG");
    const report = await stocked.host.must(["redis-benchmark", "-p", "7001", "-q", "-n", "2000", "-t", "set,get"]);
    expect(report).toMatch(/SET: .*requests per second[\s\S]*GET: .*requests per second/);
    expect(await client("dbsize")).toBe("1");
    await stocked.must(["stop", "open"]);
    expect(await stocked.containers()).toStrictEqual([]);
  });
});

describe("nginx", () => {
  it("serves pages to the host and to a container that shares its network, logs to the container's log, ends by SIGQUIT", async () => {
    const flags = ["run", "-d", "--name", "web", ...limits, "--read-only"];
    const memory = ["/var/lib/nginx", "/run"].flatMap((path) => ["--tmpfs", path]);
    await stocked.must([...flags, ...memory, "--network", "host", stocked.image("nginx")]);
    const page = async (): Promise<string> => (await stocked.host.run(["curl", "-s", "http://127.0.0.1/"])).stdout;
    expect(await until(page, /nginx/)).toBe("<h1>nginx in a container</h1>\n");
    expect(await stocked.must(["logs", "web"])).toMatch(/"GET \/ HTTP\/1\.1" 200/);
    await stocked.must(["stop", "web"]);
    expect((await stocked.inspect("web")).State.ExitCode).toBe(0);
    await stocked.must(["rm", "web"]);

    await stocked.must(["run", "-d", "--name", "inner", ...limits, stocked.image("nginx")]);
    const script = [
      "bash",
      "-c",
      'exec 3<>/dev/tcp/127.0.0.1/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3',
    ];
    const peer = async (): Promise<string> => {
      const run = ["run", "--rm", "--network", "container:inner", "--entrypoint", "", stocked.image("nginx")];
      return (await stocked.host.sampan([...run, ...script])).stdout;
    };
    expect(await until(peer, /nginx in/)).toContain("<h1>nginx in a container</h1>");
    expect((await stocked.host.run(["curl", "-s", "--max-time", "2", "http://127.0.0.1/"])).code).not.toBe(0);
    await stocked.must(["rm", "-f", "inner"]);
  });
});

describe("networks", () => {
  it("nginx and redis are reached from the host, from containers of their network by name, and from no other", async () => {
    await stocked.must(["network", "create", "shop"]);
    const open = ["--save", "", "--protected-mode", "no", "--bind", "0.0.0.0"];
    const run = ["run", "-d", ...limits, "--network", "shop"];
    await stocked.must([...run, "--name", "store", "-p", "6390:6379", stocked.image("redis"), ...open]);
    await stocked.must([...run, "--name", "pages", "-p", "127.0.0.1:8089:80", stocked.image("nginx")]);
    const redis = async (...words: string[]): Promise<string> => (await stocked.host.run(words)).stdout.trim();
    expect(await until(() => redis("redis-cli", "-p", "6390", "ping"), /PONG/)).toBe("PONG");
    const curl = ["curl", "-s", "--max-time", "5", "http://127.0.0.1:8089/"];
    expect(await until(() => redis(...curl), /nginx/)).toBe("<h1>nginx in a container</h1>");
    const benchmark = ["redis-benchmark", "-p", "6390", "-q", "-n", "1000", "-t", "set,get"];
    expect(await stocked.host.must(benchmark)).toMatch(/SET: .*requests per second[\s\S]*GET: .*requests per second/);

    const client = async (network: string, ...words: string[]): Promise<string> => {
      const flags = ["run", "--rm", "--network", network, "--entrypoint", "timeout", stocked.image("redis"), "5"];
      return (await stocked.host.sampan([...flags, ...words])).stdout.trim();
    };
    const { NetworkSettings } = await stocked.inspect<{ NetworkSettings: { IPAddress: string } }>("store");
    expect(await client("shop", "redis-cli", "-h", "store", "set", "key", "by name")).toBe("OK");
    expect(await client("bridge", "redis-cli", "-h", NetworkSettings.IPAddress, "get", "key")).toBe("");
    // What is published is open to all.
    expect(await client("bridge", "redis-cli", "-h", "10.88.0.1", "-p", "6390", "get", "key")).toBe("by name");
    await stocked.must(["rm", "-f", "store", "pages"]);
    await stocked.must(["network", "rm", "shop"]);
  });
});
