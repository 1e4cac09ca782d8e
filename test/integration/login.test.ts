import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";
import { TestHost } from "../support/testhost.ts";

test("sampan login keeps a password that pull, push and skopeo use, until logout", async () => {
  await using host = await TestHost.create();
  await using registry = await Registry.start({ host, users: { anna: "secret" } });
  await registry.push(await testImage("busybox"), "busybox:1");
  const image = `${registry.address}/busybox:1`;
  const config = join(host.files, "docker");
  const env = { DOCKER_CONFIG: config };
  const login = ["login", "-u", "anna", "--password-stdin", registry.address];

  const wrong = await host.sampan(login, { env, input: "guess\n" });
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("does not accept the user name and password"),
  });
  expect((await host.sampan(["pull", "-q", image], { env })).stderr).toContain("wants a login");

  expect(await host.sampan(login, { env, input: "secret\n" })).toMatchObject({ code: 0 });
  expect((await stat(join(config, "config.json"))).mode & 0o777).toBe(0o600);
  for (const args of [
    ["pull", "-q", image],
    ["tag", image, `${registry.address}/other:2`],
    ["push", "-q", `${registry.address}/other:2`],
  ])
    expect(await host.sampan(args, { env }), args.join(" ")).toMatchObject({ code: 0 });
  const inspect = ["skopeo", "inspect", "--tls-verify=false", "--authfile", join(config, "config.json")];
  await host.must([...inspect, `docker://${registry.address}/other:2`]);

  expect((await host.sampan(["logout", registry.address], { env })).stdout).toBe(`Logged out of ${registry.address}\n`);
  expect(JSON.parse(await readFile(join(config, "config.json"), "utf8"))).toEqual({ auths: {} });
  expect((await host.sampan(["pull", "-q", `${registry.address}/other:2`], { env })).code).toBe(1);
});
