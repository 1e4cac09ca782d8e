/** Files of the Container Device Interface, and what they do to a container. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SampanError } from "#errdefs";
import type { RuntimeConfig } from "#spec";
import { applyCdi } from "./apply.ts";
import { noEdits, parseCdi } from "./parse.ts";
import { isCdiName, resolveCdi } from "./resolve.ts";
import { parseYaml } from "./yaml.ts";

const file = `---
# made by a vendor's tool
cdiVersion: "0.8.0"
kind: vendor.com/gpu
devices:
- name: "0"
  containerEdits:
    env: [GPU=0, 'MODE=a: b']
    deviceNodes:
      - path: /dev/gpu0   # a comment
        hostPath: /dev/null
        permissions: rw
        fileMode: 438
    additionalGids: [44]
- name: all
  containerEdits:
    mounts:
    - {hostPath: /opt/gpu, containerPath: /usr/lib/gpu, options: [ro, nosuid]}
containerEdits:
  hooks:
    - hookName: createContainer
      path: /usr/bin/hook
      args:
        - hook
        - --flag=x
      timeout: 5
  netDevices:
    - hostInterfaceName: ib0
      name: eth7
  intelRdt:
    closID: gold
    enableMonitoring: true
`;

const hook = { hookName: "createContainer", path: "/usr/bin/hook", args: ["hook", "--flag=x"], env: [], timeout: 5 };

describe("parseCdi()", () => {
  it("reads YAML", () => {
    expect(parseCdi(file, "gpu.yaml")).toEqual({
      kind: "vendor.com/gpu",
      devices: new Map([
        [
          "0",
          {
            ...noEdits,
            env: ["GPU=0", "MODE=a: b"],
            deviceNodes: [{ path: "/dev/gpu0", hostPath: "/dev/null", permissions: "rw", fileMode: 0o666 }],
            additionalGids: [44],
          },
        ],
        [
          "all",
          {
            ...noEdits,
            mounts: [{ hostPath: "/opt/gpu", containerPath: "/usr/lib/gpu", type: "bind", options: ["ro", "nosuid"] }],
          },
        ],
      ]),
      edits: {
        ...noEdits,
        hooks: [hook],
        netDevices: [{ hostInterfaceName: "ib0", name: "eth7" }],
        intelRdt: { closID: "gold", schemata: [], enableMonitoring: true },
      },
    });
  });

  it.each([
    ["{}", "cdiVersion: it is missing"],
    ["[]", "the file: it is no map"],
    ["no", "it is not JSON"],
    ['{"cdiVersion":"9.0.0"}', 'cdiVersion: "9.0.0" is no version of the CDI that is known'],
    ['{"cdiVersion":"0.8.0","kind":"gpu"}', 'kind: "gpu" is not of the form vendor.com/class'],
    ['{"cdiVersion":"0.8.0","kind":"a/b"}', "devices: it is empty"],
    ['{"cdiVersion":"0.8.0","kind":"a/b","x":1}', 'the file: it has no property "x"'],
    ['{"cdiVersion":"0.8.0","kind":"a/b","devices":[{"name":"-"}]}', 'devices[0].name: "-" is no name of a device'],
    [device('"env":["A"]'), 'devices[0].containerEdits.env[0]: "A" is not NAME=value'],
    [device('"mounts":[{"hostPath":"x"}]'), 'devices[0].containerEdits.mounts[0].hostPath: "x" is no absolute path'],
    [device('"deviceNodes":[{"path":"/d","type":"z"}]'), 'deviceNodes[0].type: "z" is none of b, c, u and p'],
    [device('"hooks":[{"hookName":"poststop","path":"/x"}]'), 'hooks "poststop" are not run'],
    [device('"additionalGids":[-1]'), "additionalGids[0]: it is no number from 0 to 4294967294"],
  ])("refuses %s", (text, message) => {
    expect(() => parseCdi(text, "a.json")).toThrow(message);
  });
});

function device(edits: string): string {
  return `{"cdiVersion":"0.8.0","kind":"a/b","devices":[{"name":"d","containerEdits":{${edits}}}]}`;
}

describe("parseYaml()", () => {
  it.each<[string, unknown]>([
    ["", null],
    ["a", "a"],
    ["- 1\n- -2\n- 0x10\n- 0o17\n- 1.5\n- ~\n- yes", [1, -2, 16, 15, 1.5, null, "yes"]],
    ["a:\n  - b: 1\n    c: 'it''s'\n  -\n    - x\nd: \"\\n#\"", { a: [{ b: 1, c: "it's" }, ["x"]], d: "\n#" }],
    ["a: http://x:1/#y # z", { a: "http://x:1/#y" }],
    ["a: {b: [1, {c: d}], e: }", { a: { b: [1, { c: "d" }], e: null } }],
    ["a:\nb: true", { a: null, b: true }],
  ])("reads %j", (text, value) => {
    expect(JSON.parse(JSON.stringify(parseYaml(text, "f")))).toEqual(value);
  });

  it.each([
    ["a: 1\na: 2", 'line 2: "a" is there twice'],
    ["a: &x 1", 'line 1: "&x 1" is a kind of YAML that is not read here'],
    ["a: |\n  b", 'line 1: "|" is a kind of YAML that is not read here'],
    ["a: [1, 2", "line 1: a list does not end in its line"],
    ["a: 1\n   b: 2", "line 2: it is indented more than what it follows"],
    ["\ta: 1", "line 1: a line is indented by a tab"],
    ["a: 1\n---\nb: 2", "line 2: there is a second document"],
  ])("refuses %j", (text, message) => {
    expect(() => parseYaml(text, "f")).toThrow(message);
  });

  it("reads what JSON is, and fails on anything else only by an error of the family", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        // Numbers with exponents and texts with lone surrogates are another matter.
        fc.pre(!/[eE]\+|\\ud|\\u007f|-0\b|__proto__/.test(JSON.stringify(value)));
        const text = JSON.stringify(value).replace(/":/g, '": ');
        fc.pre(JSON.stringify(JSON.parse(text)) === JSON.stringify(value) && !/-?\d(\.\d+)?e-/.test(text));
        expect(JSON.stringify(parseYaml(text, "f"))).toBe(JSON.stringify(value));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from("ab:- #\n'\"[]{},|&01")) }), (text) => {
        try {
          parseYaml(text, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(SampanError);
        }
      }),
    );
  });
});

describe("resolveCdi()", () => {
  let directory: string;
  const places = (): string[] => [join(directory, "etc"), join(directory, "run")];
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "cdi-"));
    for (const place of places()) mkdirSync(place);
    writeFileSync(join(directory, "etc/gpu.yaml"), file);
    writeFileSync(join(directory, "etc/broken.json"), "{");
    writeFileSync(join(directory, "etc/one.json"), device('"env":["A=etc"]'));
    writeFileSync(join(directory, "run/one.json"), device('"env":["A=run"]'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it("puts what the devices do together, looks at their nodes, and takes what all do once", () => {
    expect(resolveCdi(["vendor.com/gpu=0", "vendor.com/gpu=all", "a/b=d"], places())).toEqual({
      env: ["GPU=0", "MODE=a: b", "A=run"],
      deviceNodes: [
        {
          path: "/dev/gpu0",
          hostPath: "/dev/null",
          permissions: "rw",
          fileMode: 0o666,
          type: "c",
          major: 1,
          minor: 3,
        },
      ],
      mounts: [{ hostPath: "/opt/gpu", containerPath: "/usr/lib/gpu", type: "bind", options: ["ro", "nosuid"] }],
      hooks: [hook],
      additionalGids: [44],
      netDevices: [{ hostInterfaceName: "ib0", name: "eth7" }],
      intelRdt: { closID: "gold", schemata: [], enableMonitoring: true },
    });
  });

  it("refuses a device that is not there, is in two files, or has no such name", () => {
    expect(() => resolveCdi(["a/b=x"], places())).toThrow('Cannot give device "a/b=x": no file of /etc/cdi or');
    expect(() => resolveCdi(["a/b"], places())).toThrow("it is not of the form vendor.com/class=name");
    writeFileSync(join(directory, "run/two.json"), device('"env":["A=run"]'));
    expect(() => resolveCdi(["a/b=d"], places())).toThrow("have it");
    expect([isCdiName("/dev/x"), isCdiName("vendor.com/gpu=0")]).toEqual([false, true]);
  });
});

describe("applyCdi()", () => {
  it("adds to a configuration, and leaves the rest as it is", () => {
    const none = {
      prestart: [],
      createRuntime: [],
      createContainer: [],
      startContainer: [],
      poststart: [],
      poststop: [],
    };
    const config: RuntimeConfig = {
      ociVersion: "1.3.0",
      process: {
        terminal: false,
        user: { uid: 7, gid: 8, additionalGids: [8] },
        args: ["a"],
        env: ["A=1"],
        cwd: "/",
        rlimits: [],
        noNewPrivileges: false,
      },
      mounts: [],
      hooks: none,
      annotations: new Map(),
      linux: {
        namespaces: [],
        uidMappings: [],
        gidMappings: [],
        timeOffsets: new Map(),
        devices: [{ path: "/dev/gpu0", type: "b", major: 9, minor: 9 }],
        resources: { devices: [], hugepageLimits: [], rdma: new Map(), unified: new Map() },
        sysctl: new Map(),
        maskedPaths: [],
        readonlyPaths: [],
      },
    };
    const changed = applyCdi(config, {
      env: ["B=2"],
      deviceNodes: [{ path: "/dev/gpu0", type: "c", major: 1, minor: 3, permissions: "rw" }],
      mounts: [{ hostPath: "/opt", containerPath: "/x", type: "bind", options: ["ro"] }],
      hooks: [{ hookName: "prestart", path: "/h", args: [], env: [] }],
      additionalGids: [0, 44],
      netDevices: [{ hostInterfaceName: "ib0", name: "eth7" }],
    });
    expect(changed).toEqual({
      ...config,
      process: {
        ...config.process,
        env: ["A=1", "B=2"],
        user: { uid: 7, gid: 8, additionalGids: [8, 44] },
      },
      mounts: [
        { destination: "/x", type: "bind", source: "/opt", options: ["rbind", "ro"], uidMappings: [], gidMappings: [] },
      ],
      hooks: { ...none, prestart: [{ path: "/h", args: [], env: [] }] },
      linux: {
        ...config.linux,
        devices: [{ path: "/dev/gpu0", type: "c", major: 1, minor: 3, uid: 7, gid: 8 }],
        resources: {
          ...config.linux.resources,
          devices: [{ allow: true, type: "c", major: 1, minor: 3, access: "rw" }],
        },
        netDevices: new Map([["ib0", { name: "eth7" }]]),
      },
    });
  });
});
