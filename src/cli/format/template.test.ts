import { describe, expect, it } from "vitest";
import { rowPrinter } from "./print-rows.ts";
import { compileTemplate } from "./template.ts";

const data = {
  Name: "web",
  Count: 3,
  Ok: true,
  None: null,
  Ports: ["80/tcp", "443/tcp"],
  Labels: { tier: "front", "a.b": "<x>" },
  State: { Status: "running", Pid: 42 },
  Label: (name: unknown) => `label of ${String(name)}`,
};
const format = (text: string): string => compileTemplate(text)(data);

describe("compileTemplate", () => {
  it.each([
    ["{{.Name}}-{{.State.Pid}}", "web-42"],
    ["a {{- .Name -}} b", "awebb"],
    ["{{/* nothing */}}x", "x"],
    ["{{json .State}}", '{"Status":"running","Pid":42}'],
    ["{{json .Labels}}", '{"tier":"front","a.b":"\\u003cx\\u003e"}'],
    ["{{.Ports}} {{.Labels}}", "[80/tcp 443/tcp] map[a.b:<x> tier:front]"],
    ['{{join .Ports ", "}}', "80/tcp, 443/tcp"],
    ['{{index .Labels "a.b"}}|{{index .Labels "none"}}|{{index .Ports 1}}', "<x>||443/tcp"],
    ["{{.Labels.tier}} {{.Labels.none}}", "front <no value>"],
    ['{{.Label "x"}} {{"y" | .Label}}', "label of x label of y"],
    ["{{if .Ok}}yes{{else}}no{{end}}", "yes"],
    ["{{if eq .Count 1}}one{{else if eq .Count 2 3}}few{{else}}many{{end}}", "few"],
    ["{{if and .Ok (not .None) (gt .Count 2)}}all{{end}}", "all"],
    ["{{or .None .Name}}", "web"],
    ["{{with .State}}{{.Pid}} {{$.Name}}{{end}}{{with .None}}x{{else}}none{{end}}", "42 webnone"],
    ["{{range .Ports}}[{{.}}]{{end}}", "[80/tcp][443/tcp]"],
    ["{{range $i, $p := .Ports}}{{if $i}},{{end}}{{$i}}={{$p}}{{end}}", "0=80/tcp,1=443/tcp"],
    ["{{range $k, $v := .Labels}}{{$k}}:{{$v}};{{end}}", "a.b:<x>;tier:front;"],
    ["{{range .None}}x{{else}}empty{{end}}", "empty"],
    ["{{range 5}}{{if eq . 1}}{{continue}}{{end}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}", "02"],
    ["{{$x := 1}}{{range .Ports}}{{$x = 2}}{{end}}{{$x}}", "2"],
    ["{{upper .Name}} {{.Name | title | lower}} {{title `two words`}}", "WEB web Two Words"],
    ['{{truncate "größer" 3}}|{{pad .Name 1 2}}|{{(split "a b" " ")}}', "grö| web  |[a b]"],
    ['{{printf "%-5s|%5d|%05.1f|%q|%v|%x" .Name .Count 2.5 "a\\"b" .Ok 255}}', 'web  |    3|002.5|"a\\"b"|true|ff'],
    ["{{println .Name .Count}}x", "web 3\nx"],
    ['{{print "a" 1 2 "b"}}{{len .Ports}}{{len .Name}}', "a1 2b23"],
    ["{{slice .Name 1}}{{(index .Ports 0) | len}}", "eb6"],
    ["{{(.State).Status}}", "running"],
    ['{{html "<a>"}} {{urlquery "a b&c"}}', "&lt;a&gt; a+b%26c"],
  ])("executes %s", (text, expected) => {
    expect(format(text)).toBe(expected);
  });

  it.each([
    ["{{.Name", "an action has no end }} at character 1"],
    ["x{{}}", "an action is empty at character 2"],
    ["{{if .Name}}x", "{{if}} has no {{end}} at character 1"],
    ["{{end}}", "there is nothing for {{end}} to end at character 1"],
    ["{{nosuch .Name}}", 'function "nosuch" is not known at character 3'],
    ["{{.Name | }}", "a value is missing"],
    ["{{.Name | 3}}", "only a function may stand behind |"],
    ["{{(.Name}}", "a parenthesis is not closed at character 3"],
    ['{{"a\\zb"}}', '"\\z" is no escape at character 3'],
    ["{{break}}", "{{break}} may only stand inside {{range}}"],
    ["{{define `x`}}{{end}}", "{{define}} is not known here"],
    ["{{.Name ? 3}}", '"?" is not expected at character 9'],
    ["{{range .A}}{{else if .B}}{{end}}{{end}}", "only if may stand behind else"],
  ])("refuses %s and says where", (text, problem) => {
    expect(() => format(text)).toThrow(`Cannot parse --format "${text}": ${problem}`);
  });

  it.each([
    ["{{.Nmae}}", "there is no .Nmae; there are .Name, .Count"],
    ["{{.State.Nothing}}", "there is no .Nothing; there are .Status, .Pid"],
    ["{{.Name.X}}", '"web" has no field .X'],
    ["{{.None.X}}", "there is nothing that .X could be a field of"],
    ["{{$y}}", "variable $y is not set"],
    ["{{join .Name}}", "join takes 2 arguments, and was given 1"],
    ["{{lt .Name 1}}", '"web" and 1 can\'t be compared'],
    ["{{index .Ports 9}}", "index 9 is outside of 2 elements"],
    ["{{.Name 1}}", "web is no function, and takes no arguments"],
  ])("executing %s fails precisely", (text, problem) => {
    expect(() => format(text)).toThrow(`Cannot format: ${problem}`);
  });
});

describe("rowPrinter", () => {
  const listing = { headers: { ID: "ID", Name: "NAMES" }, columns: ["ID", "Name"] };
  const rows = [
    { ID: "1", Name: "a", Label: () => "x" },
    { ID: "22222", Name: "b\nc", Label: () => "" },
  ];
  it.each([
    [undefined, "ID      NAMES\n1       a\n22222   b c\n"],
    ["table", "ID      NAMES\n1       a\n22222   b c\n"],
    ['table {{.Name}}\\t{{.Label "tier"}}', "NAMES   TIER\na       x\nb c\n"],
    ["{{.ID}}\\t{{.Name}}", "1\ta\n22222\tb\nc\n"],
    ["json", '{"ID":"1","Name":"a"}\n{"ID":"22222","Name":"b\\nc"}\n'],
    ["{{json .}}", '{"ID":"1","Name":"a"}\n{"ID":"22222","Name":"b\\nc"}\n'],
  ])("prints --format %s", (given, expected) => {
    expect(rowPrinter(given, listing)(rows)).toBe(expected);
  });

  it("lets no cell of a table speak to the terminal", () => {
    const row = { ID: "1", Name: "a\u001b[2J\r\u009b1m\u007fé" };
    expect(rowPrinter("table {{.Name}}", listing)([row])).toBe("NAMES\na [2J  1m é\n");
    expect(rowPrinter("{{.Name}}", listing)([row])).toBe(`${row.Name}\n`);
  });
});
