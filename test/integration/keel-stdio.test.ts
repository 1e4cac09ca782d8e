import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeAll, expect, test } from "vitest";
import { MonitorClient } from "#keel";
import { createDefaults } from "../../src/keel/executor.ts";
import { encodeFrame, FrameReader } from "../../src/keel/frames.ts";
import { decodeReply } from "../../src/keel/wire.gen.ts";
import { checkout } from "../support/checkout.ts";
import { buildKeel, containerProgram, shell } from "../support/monitored.ts";

beforeAll(buildKeel);

test.each(["keel", "keel-sanitized"])("%s: with inheritStdio the container alone has keel's stdio", async (binary) => {
  const directory = mkdtempSync("/var/tmp/sampan-monitor-");
  const keel = spawn(join(checkout, "build/native", binary), ["serve"], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
  try {
    const [stdout, stderr] = [buffer(keel.stdout), buffer(keel.stderr)];
    const socket = keel.stdio[3] as Socket;
    const request = {
      kind: "create",
      ...createDefaults,
      stateDirectory: directory,
      log: join(directory, "log"),
      terminal: false,
      openStdin: true,
      stdinOnce: false,
      inheritStdio: true,
      oomFile: "",
      program: containerProgram(shell("cat; echo err >&2; exit 6")),
      exitProgram: [],
      exitCommand: [],
    } as const;
    socket.write(encodeFrame(1, request));
    const { promise: created, resolve } = Promise.withResolvers<unknown>();
    const frames = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const { kind, body } of frames.push(chunk)) resolve(decodeReply(kind, body));
    });
    expect(await created).toMatchObject({ kind: "created" });
    using client = await MonitorClient.connect(directory);
    const exited = client.wait();
    await expect(client.attach({ stdin: true, output: true })).rejects.toMatchObject({ fields: { errno: 22 } });
    await client.start();
    // The end of keel leaves the container the only holder of the streams.
    keel.kill("SIGKILL");
    keel.stdin.end("through\n");
    expect(await exited).toMatchObject({ status: 6 });
    expect(String(await stdout)).toBe("through\n");
    // The address sanitizer may have had its say before.
    expect(String(await stderr)).toMatch(/(^|\n)err\n$/);
    expect(readdirSync(directory)).not.toContain("log");
  } finally {
    keel.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});
