/**
 * Recipe of the Debian images: one userland made by mmdebstrap from the machine's own package sources, with the real
 * redis-server and nginx upon it. `make` writes to `<directory>/layout`.
 */
import { access, chmod, chown, cp, link, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustHere } from "./process.ts";
import { Bundle, configure } from "./umoci.ts";

export async function makeDebian(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const layout = join(directory, "layout");
  const services = join(directory, "services");
  const base = join(directory, "base");
  await bootstrap(directory, base, services);

  await mustHere(["umoci", "init", "--layout", layout]);
  await mustHere(["umoci", "new", "--image", `${layout}:base`]);
  const first = await Bundle.unpack(`${layout}:base`, join(directory, "bundle"));
  await fill(first, base);
  await first.repack(`${layout}:base`);
  await configure(`${layout}:base`, {
    environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    command: ["bash"],
  });
  await makeUserland(directory, layout);
  await makeServices(directory, layout, services);
  await mustHere(["umoci", "rm", "--image", `${layout}:base`]);
  await mustHere(["umoci", "gc", "--layout", layout]);
}

/** Makes the userland in `base`, and the same with the services' packages installed in `services`. */
async function bootstrap(directory: string, base: string, services: string): Promise<void> {
  const release = await readFile("/etc/os-release", "utf8");
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? "stable";
  const sources = join(directory, "debian.sources");
  await writeFile(sources, await packageSources(suite));
  const excluded = ["doc", "man", "locale", "info", "lintian"].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  const packages = "--yes --quiet --no-install-recommends install redis-server nginx-light";
  const hooks = [
    // /proc and /sys are mounted in the new root at this time: a copy must stay on one filesystem.
    `cp --archive --one-file-system "$1" '${base}'`,
    // The machine's apt knows how to reach the mirror but would run dpkg on the machine; the root's own is confined to it.
    `APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --download-only ${packages}`,
    `chroot "$1" apt-get --no-download ${packages}`,
  ].map((hook) => `--customize-hook=${hook}`);
  const options = ["--quiet", "--mode=root", "--variant=minbase", "--format=directory"];
  await mustHere([
    "mmdebstrap",
    ...options,
    '--aptopt=Acquire::Languages "none"',
    ...excluded,
    ...hooks,
    suite,
    services,
    sources,
  ]);
  for (const root of [base, services])
    for (const name of ["var/lib/apt/lists", "var/cache/apt", "etc/apt/apt.conf.d/99mmdebstrap"])
      await rm(join(root, name), { recursive: true, force: true });
}

/** The parts of the machine's apt sources, of both formats, that are for this release's main section. */
async function packageSources(suite: string): Promise<string> {
  const directory = "/etc/apt/sources.list.d";
  const names = (await readdir(directory).catch(() => [])).map((name) => join(directory, name));
  const parts: string[] = [];
  for (const name of ["/etc/apt/sources.list", ...names]) {
    const text = await readFile(name, "utf8").catch(() => "");
    if (name.endsWith(".sources"))
      parts.push(...text.split(/\n\s*\n/).filter((part) => new RegExp(`^Suites:.*\\b${suite}\\b`, "m").test(part)));
    else if (name.endsWith(".list"))
      parts.push(
        ...text
          .split("\n")
          .map((line) =>
            new RegExp(`^deb\\s+(?:\\[[^\\]]*\\]\\s+)?(\\S+)\\s+(${suite}\\S*)\\s+.*\\bmain\\b`).exec(line),
          )
          .filter((match) => match !== null)
          .map(([, uri = "", name = ""]) => `Types: deb\nURIs: ${uri}\nSuites: ${name}\nComponents: main`),
      );
  }
  if (parts.length === 0) throw new Error(`Cannot make a Debian userland: apt has no source for "${suite}"`);
  return `${parts.map((part) => part.trim()).join("\n\n")}\n`;
}

/** Puts a root directory's files into a bundle, with all that belongs to them. */
async function fill({ rootfs }: Bundle, root: string): Promise<void> {
  await mustHere(["cp", "--archive", "--no-target-directory", root, rootfs]);
}

/** `debian`: layers with hardlinks, a setuid file and file capabilities, then whiteouts, then an opaque directory. */
async function makeUserland(directory: string, layout: string): Promise<void> {
  const image = `${layout}:debian`;
  const second = await Bundle.unpack(`${layout}:base`, join(directory, "bundle"));
  const at = (name: string): string => join(second.rootfs, name);
  await link(at("usr/bin/perl"), at("usr/local/bin/perl"));
  await cp(at("usr/bin/id"), at("usr/local/bin/id-as-root"));
  await chmod(at("usr/local/bin/id-as-root"), 0o4755);
  await cp(at("usr/bin/chown"), at("usr/local/bin/chown-capable"));
  await mustHere(["setcap", "cap_chown=ep", at("usr/local/bin/chown-capable")]);
  await second.repack(image);

  const third = await Bundle.unpack(image, join(directory, "bundle"));
  for (const name of ["etc/motd", "usr/share/common-licenses", "usr/bin/perl"])
    await rm(join(third.rootfs, name), { recursive: true, force: true });
  await third.repack(image);

  const opaque = join(directory, "opaque");
  await mkdir(opaque);
  await writeFile(join(opaque, "only"), "the rest is hidden\n");
  await mustHere(["umoci", "insert", "--image", image, "--opaque", opaque, "/etc/cron.daily"]);
}

/** `redis` and `nginx`: the same layers under two configurations, in the way of the usual public images. */
async function makeServices(directory: string, layout: string, services: string): Promise<void> {
  const bundle = await Bundle.unpack(`${layout}:base`, join(directory, "bundle"));
  await fill(bundle, services);
  const at = (name: string): string => join(bundle.rootfs, name);
  const users = await readFile(at("etc/passwd"), "utf8");
  const [, uid = "0", gid = "0"] = /^redis:[^:]*:(\d+):(\d+):/m.exec(users) ?? [];
  await mkdir(at("data"));
  await chown(at("data"), Number(uid), Number(gid));
  for (const [name, target] of [
    ["access.log", "/dev/stdout"],
    ["error.log", "/dev/stderr"],
  ] as const) {
    await rm(at(`var/log/nginx/${name}`), { force: true });
    await symlink(target, at(`var/log/nginx/${name}`));
  }
  await writeFile(at("etc/nginx/sites-available/default"), "server { listen 80; root /var/www/html; }\n");
  await writeFile(at("var/www/html/index.html"), "<h1>nginx in a container</h1>\n");
  await access(at("usr/bin/redis-server"));
  await bundle.repack(`${layout}:redis`);
  await mustHere(["umoci", "tag", "--image", `${layout}:redis`, "nginx"]);
  await configure(`${layout}:redis`, {
    entrypoint: ["redis-server"],
    command: ["--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/data"],
    user: "redis",
    workingDirectory: "/data",
    volumes: ["/data"],
    ports: ["6379/tcp"],
  });
  await configure(`${layout}:nginx`, {
    entrypoint: ["nginx"],
    command: ["-g", "daemon off;"],
    ports: ["80/tcp"],
    stopSignal: "SIGQUIT",
  });
}
