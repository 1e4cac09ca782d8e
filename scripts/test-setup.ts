/**
 * Installs what the tests need from Debian. As a command, `node scripts/test-setup.ts [--peers]`, it installs that, with
 * the peers of the benchmark if asked; `scripts/test.ts` uses it before each run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { buildPackages, peerPackages, systemPackages, type DebianPackage } from "./debian-packages.ts";

const policyFile = "/usr/sbin/policy-rc.d";
const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };

/** Those of `packages` that dpkg does not have installed; all of them where there is no dpkg. */
export function missingPackages(packages: readonly DebianPackage[]): readonly DebianPackage[] {
  const format = "${db:Status-Status} ${Package}\n";
  const names = packages.map(({ name }) => name);
  const { stdout } = spawnSync("dpkg-query", ["--show", `--showformat=${format}`, ...names], { encoding: "utf8" });
  const installed = new Set((stdout ?? "").split("\n").filter((line) => line.startsWith("installed ")));
  return packages.filter(({ name }) => !installed.has(`installed ${name}`));
}

/**
 * Installs packages with apt-get. No daemon that they bring is started: invoke-rc.d(8) asks policy-rc.d, which is there
 * to say no for as long as this takes.
 *
 * @returns false when apt-get failed; what it printed then stands on stderr
 */
export function install(packages: readonly DebianPackage[]): boolean {
  if (packages.length === 0) return true;
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const removePolicy = (): void => {
    if (ownPolicy) rmSync(policyFile, { force: true });
  };
  process.once("exit", removePolicy);
  try {
    const wait = ["-o", "DPkg::Lock::Timeout=300"];
    // A source that the tests do not need may be out of reach; whether the packages are there shows in the next step.
    spawnSync("apt-get", ["--quiet", "--quiet", ...wait, "update"], { env, stdio: ["ignore", "ignore", "ignore"] });
    const flags = ["--quiet", "--quiet", "--yes", "--no-install-recommends", ...wait, "-o", "Dpkg::Use-Pty=0"];
    const names = packages.map(({ name }) => name);
    const { status, error, stdout, stderr } = spawnSync("apt-get", [...flags, "install", ...names], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    });
    if (status === 0) return true;
    process.stderr.write(`${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}\n`);
    return false;
  } finally {
    removePolicy();
    process.removeListener("exit", removePolicy);
  }
}

/** One line a package, for people. */
export const describe = (packages: readonly DebianPackage[]): string =>
  packages.map(({ name, purpose }) => `  ${name.padEnd(16)} ${purpose}\n`).join("");

if (import.meta.main) {
  const wanted = [...buildPackages, ...systemPackages, ...(process.argv.includes("--peers") ? peerPackages : [])];
  const missing = missingPackages(wanted);
  process.stdout.write(missing.length === 0 ? "Nothing is missing\n" : `Installing:\n${describe(missing)}`);
  process.exitCode = install(missing) ? 0 : 1;
}
