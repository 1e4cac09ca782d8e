import { describe, expect, it } from "vitest";
import { parseMount } from "./container-flags.ts";

describe("parseMount()", () => {
  it("reads a bind as containerd's client writes it", () => {
    expect(parseMount("type=bind,src=/tmp,dst=/host,options=rbind:ro:nosuid:rslave")).toStrictEqual({
      type: "bind",
      source: "/tmp",
      target: "/host",
      readOnly: true,
      mountOptions: ["nosuid"],
      propagation: "rslave",
    });
    expect(parseMount("type=bind,src=/tmp,dst=/host,options=bind:rw")).toMatchObject({
      readOnly: false,
      nonRecursive: true,
    });
  });

  it.each([
    ["type=bind,src=/tmp", "it has no dst"],
    ["type=bind,dst=/a", "it has no src"],
    ["type=proc,src=a,dst=/a", 'its type is bind or tmpfs, not "proc"'],
    ["type=bind,src=/a,dst=/b,options=rbind:nope", 'there is no option "nope"'],
    ["type=bind,frob=1,src=/a,dst=/b", 'there is no "frob"'],
  ])("%s: %s", (text, state) => {
    expect(() => parseMount(text)).toThrow(`Cannot parse --mount "${text}": ${state}`);
  });
});
