/** A tree with everything that a layer can have. Needs root. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export function makeRichTree(root: string): void {
  const at = (name: string): string => join(root, name);
  for (const name of ["bin", "dev", "etc", "home/user", "tmp", "deep", "usr/lib", "empty"])
    mkdirSync(at(name), { recursive: true });
  for (let i = 0; i < 60; i += 1) writeFileSync(at(`usr/lib/lib${i}.so`), "x".repeat(i * 997));
  symlinkSync("usr/lib", at("lib"));
  symlinkSync("/etc/nowhere", at("etc/dangling"));
  symlinkSync("x".repeat(150), at("etc/long-target"));
  lchownSync(at("lib"), 7, 8);
  lutimesSync(at("lib"), 1, 86_400.25);

  writeFileSync(at("bin/sh"), "shell");
  linkSync(at("bin/sh"), at("bin/bash"));
  linkSync(at("bin/sh"), at("usr/sh"));
  linkSync(at("lib"), at("etc/same-link"));
  chmodSync(at("bin/sh"), 0o755);
  writeFileSync(at("bin/su"), "su");
  chownSync(at("bin/su"), 1000, 1001);
  chmodSync(at("bin/su"), 0o6755);
  writeFileSync(at("bin/ping"), "ping");
  chownSync(at("bin/ping"), 5, 6);
  execFileSync("setcap", ["cap_net_raw+ep", at("bin/ping")]);
  execFileSync("setfattr", ["-n", "user.comment", "-v", "0x00ff0a3d", at("bin/ping")]);
  execFileSync("setfattr", ["-n", "user.empty", "-v", "", at("etc")]);
  execFileSync("setfattr", ["-h", "-n", "trusted.on-link", "-v", "yes", at("lib")]);

  execFileSync("mknod", [at("dev/null"), "c", "1", "3"]);
  execFileSync("mknod", [at("dev/disk"), "b", "259", "300"]);
  execFileSync("mknod", ["-m", "620", at("dev/pipe"), "p"]);
  chmodSync(at("dev/null"), 0o666);
  chownSync(at("dev/disk"), 0, 6);

  const sparse = openSync(at("home/sparse"), "w");
  writeSync(sparse, "start", 0);
  writeSync(sparse, "middle", 3_000_000);
  ftruncateSync(sparse, 9_000_000);
  closeSync(sparse);
  const holes = openSync(at("home/many-holes"), "w");
  for (let i = 0; i < 100; i += 1) writeSync(holes, `part ${i}`, i * 100_000);
  closeSync(holes);

  writeFileSync(at("etc/ünïcode-☃-𝄞"), "unicode");
  writeFileSync(Buffer.concat([Buffer.from(at("etc/latin1-")), Buffer.from([0xe4, 0xf6, 0xff])]), "not UTF-8");
  symlinkSync(Buffer.from([0x2f, 0xff, 0xfe]), at("etc/to-latin1"));
  writeFileSync(at(`etc/${"n".repeat(255)}`), "long name");
  const long = at(`deep/${Array.from({ length: 12 }, () => "d".repeat(120)).join("/")}`);
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, "file"), "deep");
  writeFileSync(at('etc/new\nline \\ and "quotes"'), "odd");
  chownSync(at("home/user"), 4_000_000_000, 4_000_000_001);
  chmodSync(at("tmp"), 0o1777);
  chmodSync(at("home"), 0o2750);
  chmodSync(at("empty"), 0o000);
  for (const [name, time] of [
    ["etc", 1_234_567_890.25],
    ["tmp", 1],
    ["bin/sh", 4_000_000_000.5],
    ["home/user", 0],
  ] as const)
    utimesSync(at(name), time, time);
}
