import { describe, expect, it } from "vitest";
import { checkConfig, loadConfig, needRestart } from "./config.ts";
import { defaultConfig, settings } from "./settings.ts";
import { tomlLines } from "./toml-lines.ts";

const problems = (text: string): readonly string[] =>
  checkConfig(text).problems.map(({ line, message }) => `${line ?? "-"}: ${message}`);

describe("defaultConfig()", () => {
  it("has no problem, says nothing else than the defaults, and names every setting", () => {
    const text = defaultConfig();
    expect(checkConfig(text)).toStrictEqual(checkConfig(""));
    // With every setting in force it is the same configuration.
    const inForce = text.replace(/^# (?=[a-z-]+ = )/gm, "").replace(/^# One of.*$/gm, "");
    const { config, problems: found } = checkConfig(inForce.slice(0, inForce.indexOf("# Who may do what")));
    expect(found).toStrictEqual([]);
    expect(config.settings).toStrictEqual(Object.fromEntries(settings.map((s) => [s.key, s.default])));
  });
});

describe("checkConfig()", () => {
  it("reads settings of all sections, and rules", () => {
    const text = `root = "/data"\nlog.level = "debug"\n[limits]\nconnections = 7\n[[allow]]\nuid = 1000\ncalls = ["read"]\n`;
    const { config, problems: found } = checkConfig(text);
    expect(found).toStrictEqual([]);
    expect(config.settings).toMatchObject({ root: "/data", "log.level": "debug", "limits.connections": 7 });
    expect(config.allow).toStrictEqual([{ uid: 1000, calls: ["read"], binds: [], privileged: false }]);
  });

  it("names each problem with its line", () => {
    expect(
      problems(
        [
          "root = 5",
          "[log]",
          'level = "loud"',
          "# a comment",
          'lvl = "a"',
          "[limits]",
          "streams = 0",
          "connections = 1.5",
          "[[allow]]",
          "uid = -1",
          'calls = ["reed"]',
          "[[allow]]",
          'calls = ["all"]',
          "binds = [",
          '  "a",',
          "]",
          'privileged = "yes"',
          "what = 1",
        ].join("\n"),
      ),
    ).toStrictEqual([
      "1: Cannot use root = 5: it is not a string",
      '3: Cannot use log.level = "loud": it is not one of trace, debug, info, warn, error, silent',
      '5: Cannot use "log.lvl": there is no such setting',
      "7: Cannot use limits.streams = 0: it is not a whole number from 1 to 100000",
      "8: Cannot use limits.connections = 1.5: it is not a whole number from 1 to 1000000",
      "10: Cannot use uid of [[allow]]: it is no user id",
      "11: Cannot use calls of [[allow]]: it is no list of read, containers, images, all and names of calls",
      "12: Cannot use [[allow]]: it has none of uid, gid and certificate",
      "14: Cannot use binds of [[allow]]: it is no list of absolute paths",
      "17: Cannot use privileged of [[allow]]: it is neither true nor false",
      "18: Cannot use what of [[allow]]: there is no such setting",
    ]);
  });

  it("says where a text is no TOML", () => {
    expect(problems("a = 1\nb = = 2\n")).toStrictEqual([expect.stringMatching(/^2: .+/)]);
    expect(problems("root = 'a'\nroot = 'b'\n")).toStrictEqual([expect.stringMatching(/^2: .+/)]);
  });

  it("keeps keys of no prototype", () => {
    expect(problems("__proto__ = 1\nconstructor = 2")).toStrictEqual([
      '1: Cannot use "__proto__": there is no such setting',
      '2: Cannot use "constructor": there is no such setting',
    ]);
  });

  it("refuses rules that are no tables", () => {
    expect(problems("allow = 5")).toStrictEqual(['1: Cannot use "allow": it is no list of tables, [[allow]]']);
    expect(problems("allow = [5]")).toStrictEqual(["1: Cannot use allow[0]: it is no table"]);
  });
});

describe("tomlLines()", () => {
  it("knows tables, dotted and quoted keys, and is not fooled by what stands in strings and lists", () => {
    const text = [
      'a."b c" = """',
      "x = 1",
      '"""',
      "[t]",
      "list = [ # [no]",
      '  "]", 5,',
      "]",
      "key = '''one line'''",
      "[[t.n]]",
      "'q' = '#'",
      "[[t.n]]",
      "z = { y = [1] }",
    ].join("\n");
    expect([...tomlLines(text)]).toStrictEqual([
      ["a.b c", 1],
      ["t", 4],
      ["t.list", 5],
      ["t.key", 8],
      ["t.n[0]", 9],
      ["t.n[0].q", 10],
      ["t.n[1]", 11],
      ["t.n[1].z", 12],
    ]);
  });
});

describe("loadConfig()", () => {
  it("takes KEY=VALUE over the file, and refuses what is no setting or value", () => {
    const { settings: values } = loadConfig(undefined, ["log.level=warn", "limits.grace=0", "root=/a=b"]);
    expect(values).toMatchObject({ "log.level": "warn", "limits.grace": 0, root: "/a=b" });
    expect(() => loadConfig(undefined, ["nosuch=1"])).toThrow('Cannot set "nosuch=1": there is no setting "nosuch"');
    expect(() => loadConfig(undefined, ["limits.grace=x"])).toThrow(
      'Cannot set limits.grace to "x": it is not a whole number from 0 to 3600',
    );
    expect(() => loadConfig("/nosuch.toml", [])).toThrow(/ENOENT/);
  });
});

describe("needRestart()", () => {
  it("names what a reload can't change", () => {
    const before = checkConfig("").config.settings;
    const after = checkConfig('root = "/a"\nlog.level = "debug"\n').config.settings;
    expect(needRestart(before, after)).toStrictEqual(["root"]);
  });
});
