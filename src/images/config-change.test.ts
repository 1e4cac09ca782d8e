import { describe, expect, it } from "vitest";
import { changeConfig } from "./config-change.ts";

const before = {
  Cmd: ["sh"],
  Env: ["PATH=/bin", "A=1"],
  Labels: { kept: "yes" },
  WorkingDir: "/srv",
  Shell: ["/bin/ash"],
  ExposedPorts: { "80/tcp": {} },
};

describe("changeConfig()", () => {
  it("knows the instructions that change a configuration, and leaves the rest of it", () => {
    const after = changeConfig(before, [
      'CMD ["nginx", "-g", "daemon off;"]',
      "entrypoint /run.sh --now",
      'ENV A=2 B="two words" C=\\$HOME',
      "ENV OLD the whole rest",
      "LABEL org.example.x=1 'y z'=2",
      "EXPOSE 443 53/udp 8000-8002",
      'VOLUME ["/data", "/with space"]',
      "VOLUME /a /b",
      "USER 1000:1000",
      "WORKDIR sub/../dir",
      "STOPSIGNAL SIGQUIT",
      "ONBUILD RUN make",
      "HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f http://localhost/",
    ]);
    expect(after).toEqual({
      Cmd: ["nginx", "-g", "daemon off;"],
      Entrypoint: ["/bin/sh", "-c", "/run.sh --now"],
      Env: ["PATH=/bin", "A=2", "B=two words", "C=$HOME", "OLD=the whole rest"],
      Labels: { kept: "yes", "org.example.x": "1", "y z": "2" },
      ExposedPorts: { "80/tcp": {}, "443/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} },
      Volumes: { "/data": {}, "/with space": {}, "/a": {}, "/b": {} },
      User: "1000:1000",
      WorkingDir: "/srv/dir",
      StopSignal: "SIGQUIT",
      OnBuild: ["RUN make"],
      Healthcheck: {
        Test: ["CMD-SHELL", "curl -f http://localhost/"],
        Interval: 90_000_000_000,
        Retries: 3,
      },
      Shell: ["/bin/ash"],
    });
    expect(before.Cmd).toEqual(["sh"]);
  });

  it("reads Docker's NAME=VALUE form of CMD, and a health check that is none", () => {
    expect(changeConfig({}, ["CMD=echo hi", "HEALTHCHECK none", "WORKDIR /"])).toEqual({
      Cmd: ["/bin/sh", "-c", "echo hi"],
      Healthcheck: { Test: ["NONE"] },
      WorkingDir: "/",
    });
  });

  it.each([
    ["RUN make", "there is no instruction RUN"],
    ["CMD", "it is not INSTRUCTION ARGUMENTS"],
    ["", "it is not INSTRUCTION ARGUMENTS"],
    ["CMD [1, 2]", "its list has no texts only"],
    ["ENV =x", '"=x" is not NAME=VALUE'],
    ['LABEL a="b', "a quote is not closed"],
    ["EXPOSE 70000", '"70000" is no port'],
    ["EXPOSE 20-10", '"20-10" is no port'],
    ["USER a b", "it takes one argument"],
    ["HEALTHCHECK --interval=soon CMD true", '"soon" is no duration'],
    ["HEALTHCHECK true", "neither NONE nor CMD"],
    ["ENV A=\0", "it is not INSTRUCTION ARGUMENTS"],
  ])("refuses %j and names it", (change, state) => {
    expect(() => changeConfig({}, [change])).toThrow(`Cannot apply the change ${JSON.stringify(change)}: `);
    expect(() => changeConfig({}, [change])).toThrow(state);
  });
});
