import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dockerCredentials } from "./credentials.ts";
import { FakeServer } from "./fake-registry.ts";
import { eraseCredentials, storeCredentials } from "./login.ts";
import { Registry } from "./registry.ts";

let directory: string;
let file: string;
const path = process.env["PATH"];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sampan-login-"));
  file = join(directory, "config.json");
  process.env["PATH"] = `${directory}:${path}`;
});
afterEach(async () => {
  process.env["PATH"] = path;
  await rm(directory, { recursive: true });
});

/** A helper that keeps what it is given in a file for each server, and notes what it was asked. */
async function makeHelper(name: string): Promise<void> {
  const program = join(directory, `docker-credential-${name}`);
  const script = `#!/bin/sh
cd '${directory}'
input=$(cat)
echo "$1 $input" >> asked
case $1 in
  store) echo "$input" > stored ;;
  get) if [ -e stored ]; then cat stored; else echo "credentials not found in native keychain"; exit 1; fi ;;
  erase) rm -f stored ;;
esac
`;
  await writeFile(program, script);
  await chmod(program, 0o755);
}

const content = async (): Promise<unknown> => JSON.parse(await readFile(file, "utf8"));
const anna = { username: "anna", password: "a:b ü" };

describe("storeCredentials", () => {
  test("writes a file that only its owner reads, keeps what else is in it, and takes it away again", async () => {
    await writeFile(file, JSON.stringify({ proxies: { x: 1 }, auths: { other: { auth: "dTpw" } } }), { mode: 0o644 });
    expect(await storeCredentials("r.example:5000", anna, file)).toEqual({ file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await dockerCredentials(file)("r.example:5000")).toEqual(anna);
    expect(await eraseCredentials("r.example:5000", file)).toBe(true);
    expect(await eraseCredentials("r.example:5000", file)).toBe(false);
    expect(await content()).toEqual({ proxies: { x: 1 }, auths: { other: { auth: "dTpw" } } });
  });

  test("uses the name that Docker does for its own registry", async () => {
    await storeCredentials("docker.io", anna, file);
    expect(Object.keys((await content()) as object)).toEqual(["auths"]);
    expect(await content()).toMatchObject({ auths: { "https://index.docker.io/v1/": {} } });
    expect(await dockerCredentials(file)("docker.io")).toEqual(anna);
    expect(await eraseCredentials("docker.io", file)).toBe(true);
  });

  test("has a helper keep them, and no password in the file", async () => {
    await makeHelper("mine");
    await writeFile(file, JSON.stringify({ credHelpers: { "r.example": "mine" } }));
    const source = dockerCredentials(file);
    expect(await source("r.example")).toBeUndefined();
    expect(await storeCredentials("r.example", anna, file)).toEqual({ helper: "mine" });
    expect(await content()).toEqual({ credHelpers: { "r.example": "mine" }, auths: { "r.example": {} } });
    const again = dockerCredentials(file);
    expect(await again("r.example")).toEqual(anna);
    expect(await again("r.example")).toEqual(anna);
    expect(await eraseCredentials("r.example", file)).toBe(true);
    expect((await readFile(join(directory, "asked"), "utf8")).split("\n")).toEqual([
      "get r.example",
      `store ${JSON.stringify({ ServerURL: "r.example", Username: "anna", Secret: "a:b ü" })}`,
      "get r.example",
      "erase r.example",
      "",
    ]);
  });
});

describe("dockerCredentials", () => {
  test("takes a helper's identity token, for registries without a helper of their own", async () => {
    await makeHelper("all");
    await writeFile(join(directory, "stored"), JSON.stringify({ Username: "<token>", Secret: "t" }));
    await writeFile(file, JSON.stringify({ credsStore: "all" }));
    expect(await dockerCredentials(file)("r.example")).toEqual({ identityToken: "t" });
  });

  test("falls back to the file where the helper has nothing", async () => {
    await makeHelper("all");
    await writeFile(file, JSON.stringify({ credsStore: "all", auths: { "r.example": { auth: "dTpw" } } }));
    expect(await dockerCredentials(file)("r.example")).toEqual({ username: "u", password: "p" });
  });

  test("says which helper is missing, fails, or has a name that is none", async () => {
    const ask = async (name: string) => {
      await writeFile(file, JSON.stringify({ credsStore: name }));
      return await dockerCredentials(file)("r.example");
    };
    await expect(ask("absent")).rejects.toMatchObject({
      code: "failed-precondition",
      message: 'Cannot use credential helper "docker-credential-absent": it is not installed',
    });
    await expect(ask("../x")).rejects.toMatchObject({ code: "invalid-argument" });
    const program = join(directory, "docker-credential-bad");
    await writeFile(program, "#!/bin/sh\necho the keychain is locked\nexit 1\n", { mode: 0o755 });
    await expect(ask("bad")).rejects.toMatchObject({
      message: 'Cannot use credential helper "docker-credential-bad": get fails (the keychain is locked)',
    });
  });
});

test("Registry.checkLogin() accepts what the registry does, and nothing else", async () => {
  const good = `Basic ${Buffer.from("u:p").toString("base64")}`;
  await using fake = await FakeServer.start(({ authorization }, response) => {
    if (authorization === good) response.writeHead(200).end("{}");
    else response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
  });
  using right = new Registry({ credentials: () => ({ username: "u", password: "p" }) });
  await right.checkLogin(fake.host);
  using wrong = new Registry({ credentials: () => ({ username: "u", password: "x" }) });
  await expect(wrong.checkLogin(fake.host)).rejects.toMatchObject({
    code: "permission-denied",
    message: `Cannot log in to "${fake.host}": http://${fake.host} does not accept the user name and password`,
  });
});
