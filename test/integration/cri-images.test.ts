/** The image service of the CRI, over gRPC. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CriHost } from "../support/cri.ts";
import { CriContainers, refusal } from "../support/cri-containers.ts";
import { HostFaultProxy } from "../support/host-fault-proxy.ts";
import { testImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";
import { eventually } from "../support/stocked-host.ts";

let cri: CriHost;
let closed: Registry;
let name: string;
beforeAll(async () => {
  cri = await CriHost.create(["busybox"]);
  name = cri.image("busybox");
  closed = await Registry.start({ host: cri.host, users: { anna: "a secret" } });
  await closed.push(await testImage("busybox"), "app:1");
});
afterAll(async () => {
  await closed[Symbol.asyncDispose]();
  await cri[Symbol.asyncDispose]();
});

const status = async (image: string, verbose = false) => await cri.images.imageStatus({ image: { image }, verbose });
const pull = async (image: string): Promise<string> => (await cri.images.pullImage({ image: { image } })).imageRef;

describe("listImages(), imageStatus()", () => {
  it("tell the same of an image by its name, id, digest and a beginning of the id, and of a missing one nothing", async () => {
    const { image } = await status(name);
    const [digest = ""] = image?.repoDigests ?? [];
    expect(image).toMatchObject({ repoTags: [name], pinned: false, username: "", spec: { image: image?.id } });
    expect(image?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digest).toMatch(/^127\.0\.0\.1:\d+\/busybox@sha256:[0-9a-f]{64}$/);
    expect(image?.size).toBeGreaterThan(100_000n);
    for (const other of [image?.id ?? "", image?.id.slice(7) ?? "", image?.id.slice(7, 27) ?? "", digest])
      expect((await status(other)).image, other).toStrictEqual(image);
    expect((await cri.images.listImages({})).images).toStrictEqual([image]);
    expect((await cri.images.listImages({ filter: { image: { image: digest } } })).images).toStrictEqual([image]);
    const none = `${cri.stocked.registry.address}/none:1`;
    expect((await status(none, true)).image).toBeUndefined();
    expect((await cri.images.listImages({ filter: { image: { image: none } } })).images).toStrictEqual([]);
    const streamed = [];
    for await (const { images } of cri.images.streamImages({})) streamed.push(...images);
    expect(streamed).toStrictEqual([image]);
  });

  it("verbose, tell the image's configuration", async () => {
    const { info } = await status(name, true);
    const details = JSON.parse(info["info"] ?? "") as { imageSpec: { os: string; rootfs: object }; chainID: string };
    expect(details.imageSpec).toMatchObject({ os: "linux", rootfs: { type: "layers" } });
    expect(details.chainID).toMatch(/^sha256:/);
    expect((await status(name)).info).toStrictEqual({});
  });

  it("tell a pinned image, its user by number or name, and its manifest's annotations", async () => {
    const user = async (text: string, to: string) => {
      const bundle = join(cri.host.files, "layout");
      await rm(bundle, { recursive: true, force: true });
      await cri.host.must(["skopeo", "--insecure-policy", "copy", "-q", await testImage("busybox"), `oci:${bundle}:x`]);
      const config = ["umoci", "config", "--image", `${bundle}:x`, `--config.user=${text}`];
      await cri.host.must([...config, "--manifest.annotation=org.example.note=hello"]);
      await cri.stocked.registry.push(`oci:${bundle}:x`, to);
      return await pull(`${cri.stocked.registry.address}/${to}`);
    };
    const byNumber = (await status(await user("1002:100", "number:1"))).image;
    expect(byNumber).toMatchObject({ uid: { value: 1002n }, username: "" });
    expect(byNumber?.spec?.annotations).toStrictEqual({ "org.example.note": "hello" });
    const byName = (await status(await user("www-data:www", "name:1"))).image;
    expect(byName).toMatchObject({ username: "www-data" });
    expect(byName?.uid).toBeUndefined();
    // CVE-2024-40635: a number that does not fit is nobody's uid.
    const huge = (await status(await user("4294967296", "huge:1"))).image;
    expect(huge).toMatchObject({ username: "4294967296" });
    expect(huge?.uid).toBeUndefined();
    await cri.stocked.must(["--namespace", "k8s.io", "image", "pin", `${cri.stocked.registry.address}/number:1`]);
    expect((await status(byNumber?.id ?? "")).image?.pinned).toBe(true);
  });
});

describe("pullImage()", () => {
  it("gives the id that containers of the image have", async () => {
    const id = await pull(name);
    expect(id).toBe((await status(name)).image?.id);
    const pod = new CriContainers(cri, await cri.runPod());
    const containerId = await pod.create();
    expect((await pod.status(containerId)).imageId).toBe(id);
    const { containers } = await cri.runtime.listContainers({});
    expect(containers.map(({ imageId }) => imageId)).toStrictEqual([id]);
    await cri.runtime.removePodSandbox({ podSandboxId: pod.podId });
  });

  it("logs in with a user name and password, or both in one text, for this server alone", async () => {
    const image = { image: `${closed.address}/app:1` };
    const attempt = async (auth: object | undefined): Promise<string> => {
      try {
        return (await cri.images.pullImage({ image, ...(auth && { auth }) })).imageRef;
      } catch {
        return await refusal(cri.images.pullImage({ image, ...(auth && { auth }) }));
      }
    };
    const login = { username: "anna", password: "a secret" };
    const auth = Buffer.from("anna:a secret").toString("base64");
    for (const wrong of [
      undefined,
      { ...login, password: "wrong" },
      { ...login, serverAddress: "https://elsewhere.test/v1/" },
      { registryToken: "none" },
    ])
      expect(await attempt(wrong), JSON.stringify(wrong)).toMatch(/^PermissionDenied: Cannot pull "/);
    expect((await status(image.image)).image).toBeUndefined();
    for (const right of [login, { auth }, { ...login, serverAddress: `http://${closed.address}/v2/` }])
      expect(await attempt(right), JSON.stringify(right)).toBe((await status(name)).image?.id);
    // It is here now, and still nobody's who may not have it.
    expect(await attempt({ ...login, password: "wrong" })).toMatch(/^PermissionDenied/);
    expect(await attempt({ auth: "!!!" })).toBe(
      "InvalidArgument: Cannot log in to the registry: auth.auth is not base64 of user:password",
    );
    expect(cri.daemon.log).not.toContain("a secret");
  });

  it("tells its progress while it goes on, joins pulls of the same, and ends when nobody waits", async () => {
    const rule = { path: "/blobs/", fault: { kind: "stall", after: 1000 } } as const;
    await using proxy = await HostFaultProxy.start(cri.host, cri.stocked.registry.address, [rule]);
    // With a layer that is not here yet.
    const bundle = join(cri.host.files, "fresh");
    await cri.host.must(["skopeo", "--insecure-policy", "copy", "-q", await testImage("busybox"), `oci:${bundle}:x`]);
    await writeFile(join(cri.host.files, "noise"), randomBytes(300_000));
    await cri.host.must(["umoci", "insert", "--image", `${bundle}:x`, join(cri.host.files, "noise"), "/noise"]);
    await cri.stocked.registry.push(`oci:${bundle}:x`, "fresh:1");
    const image = { image: `${proxy.address}/fresh:1` };
    const aborts = [new AbortController(), new AbortController()];
    const calls = aborts.map(async ({ signal }) => await refusal(cri.images.pullImage({ image }, { signal })));
    interface Pull {
      readonly image: string;
      readonly current: number;
      readonly total: number;
      readonly layers: readonly { readonly status: string }[];
    }
    let pulls: readonly Pull[] = [];
    await eventually("progress", async () => {
      pulls = JSON.parse((await status(image.image, true)).info["pull"] ?? "[]") as readonly Pull[];
      return pulls.some(({ layers }) => layers.some((layer) => layer.status === "pulling"));
    });
    expect(pulls).toHaveLength(1);
    expect(pulls[0]?.image).toBe(image.image);
    const { info } = await cri.runtime.status({ verbose: true });
    expect(JSON.parse(info["pulls"] ?? "")).toMatchObject([{ image: image.image }]);
    expect(pulls[0]?.total).toBeGreaterThan(pulls[0]?.current ?? 0);
    aborts[0]?.abort();
    expect(await calls[0]).toMatch(/^Canceled/);
    expect((await status(image.image, true)).info["pull"]).toBeDefined();
    aborts[1]?.abort();
    await calls[1];
    await eventually("its end", async () => (await status(image.image, true)).info["pull"] === undefined);
    expect((await status(image.image)).image).toBeUndefined();
    await proxy.setRules([]);
    expect(await pull(image.image)).toBe((await status(image.image)).image?.id);
  });

  it("takes several at once, and ends at the client's deadline", async () => {
    const { address } = cri.stocked.registry;
    await Promise.all(
      ["a", "b", "c"].map(async (tag) => await cri.stocked.registry.push(await testImage("busybox"), `many:${tag}`)),
    );
    const ids = await Promise.all(["a", "b", "c", "a"].map(async (tag) => await pull(`${address}/many:${tag}`)));
    expect(new Set(ids)).toStrictEqual(new Set([(await status(name)).image?.id]));
    const late = cri.images.pullImage({ image: { image: `${address}/many:a` } }, { timeoutMs: 1 });
    expect(await refusal(late)).toMatch(/^DeadlineExceeded/);
  });
});

describe("removeImage()", () => {
  it("takes all names of an image, again and again, and leaves containers what they need", async () => {
    const { address } = cri.stocked.registry;
    const id = await pull(name);
    const pod = new CriContainers(cri, await cri.runPod());
    const containerId = await pod.run();
    const [first, second] = await Promise.all([
      cri.images.removeImage({ image: { image: `${address}/many:b` } }),
      cri.images.removeImage({ image: { image: id } }),
    ]);
    expect([first, second]).toHaveLength(2);
    for (const one of [name, `${address}/many:a`, `${closed.address}/app:1`])
      expect((await status(one)).image, one).toBeUndefined();
    expect((await pod.exec(containerId, "echo", "still here")).stdout).toBe("still here\n");
    expect((await status(id)).image).toMatchObject({ id, repoTags: [], repoDigests: [] });
    await cri.runtime.removePodSandbox({ podSandboxId: pod.podId });
    await cri.images.removeImage({ image: { image: id } });
    await cri.images.removeImage({ image: { image: id } });
    expect((await status(id)).image).toBeUndefined();
    expect(await pull(name)).toBe(id);
  });
});

describe("imageFsInfo()", () => {
  it("counts what images take, and what containers have written", async () => {
    const pod = new CriContainers(cri, await cri.runPod());
    const containerId = await pod.run();
    await pod.exec(containerId, "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=3");
    const { imageFilesystems, containerFilesystems } = await cri.images.imageFsInfo({});
    const [images, containers] = [imageFilesystems[0], containerFilesystems[0]];
    expect([imageFilesystems.length, containerFilesystems.length]).toStrictEqual([1, 1]);
    expect(images?.fsId?.mountpoint).toBe(cri.host.root);
    expect(containers?.fsId?.mountpoint).toBe(cri.host.root);
    expect(images?.usedBytes?.value).toBeGreaterThan(500_000n);
    expect(images?.inodesUsed?.value).toBeGreaterThan(5n);
    expect(containers?.usedBytes?.value).toBeGreaterThanOrEqual(3_145_728n);
    expect(containers?.inodesUsed?.value).toBeGreaterThanOrEqual(2n);
    await cri.runtime.removePodSandbox({ podSandboxId: pod.podId });
  });
});

describe("bad input", () => {
  it("is refused with the field's name, and nothing is pulled", async () => {
    const empty = "image.image is empty";
    expect(await refusal(cri.images.pullImage({}))).toBe(`InvalidArgument: Cannot pull an image: ${empty}`);
    expect(await refusal(cri.images.imageStatus({ image: {} }))).toBe(
      `InvalidArgument: Cannot look for an image: ${empty}`,
    );
    expect(await refusal(cri.images.removeImage({}))).toBe(`InvalidArgument: Cannot remove an image: ${empty}`);
    for (const image of ["UPPER", "a b", "x".repeat(5000), "../../etc/passwd", "a@sha256:short", "a\u0000b", "a:b:c"]) {
      expect(await refusal(cri.images.pullImage({ image: { image } })), image).toMatch(/^InvalidArgument: Cannot use /);
      expect(await refusal(cri.images.removeImage({ image: { image } })), image).toMatch(/^InvalidArgument: /);
    }
    const none = `${cri.stocked.registry.address}/none:1`;
    expect(await refusal(cri.images.pullImage({ image: { image: none } }))).toMatch(/^NotFound: Cannot pull "/);
  });

  it("CVE-2021-41190: a manifest that is an index too is refused", async () => {
    const { registry } = cri.stocked;
    const { stdout } = await cri.host.run([
      "curl",
      "-s",
      `http://${registry.address}/v2/busybox/manifests/1`,
      "-H",
      "Accept: */*",
    ]);
    const both = { ...(JSON.parse(stdout) as object), layers: [], config: {}, manifests: [] };
    const file = join(cri.host.files, "both.json");
    await writeFile(file, JSON.stringify(both));
    const type = "content-type: application/vnd.oci.image.manifest.v1+json";
    const put = ["curl", "-s", "-X", "PUT", `http://${registry.address}/v2/busybox/manifests/both`, "-H", type];
    const stored = await cri.host.run([...put, "--data-binary", `@${file}`]);
    const failure = await refusal(cri.images.pullImage({ image: { image: `${registry.address}/busybox:both` } }));
    // A registry that looks at manifests does not even take it.
    expect(failure).toMatch(stored.stdout === "" ? /^(DataLoss|InvalidArgument): / : /^NotFound: /);
  });
});
