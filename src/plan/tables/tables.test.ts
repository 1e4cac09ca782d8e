import { describe, expect, it } from "vitest";
import { capabilitiesOf, capabilityNames, capabilityNumber } from "./capabilities.ts";
import { namespacesOf } from "./namespaces.ts";
import { rlimitName, rlimitNumber } from "./rlimits.ts";
import { signalName, signalNumber } from "./signals.ts";

describe("signalNumber()", () => {
  it("reads names with and without SIG, in any case, synonyms, numbers and real-time signals", () => {
    const texts = [
      "SIGTERM",
      "term",
      "Kill",
      "9",
      "SIGCLD",
      "IOT",
      "SIGPOLL",
      "RTMIN",
      "SIGRTMIN+3",
      "rtmax-1",
      "RTMAX",
      "64",
    ];
    expect(texts.map(signalNumber)).toEqual([15, 15, 9, 9, 17, 6, 29, 34, 37, 63, 64, 64]);
  });

  it("is undefined for what is no signal", () => {
    const texts = ["", "0", "65", "SIG", "NULL", "SIGNULL", "-9", "9x", "RTMIN-1", "RTMAX+1", "RTMIN+31", "SIGSIGTERM"];
    expect(texts.map(signalNumber)).toEqual(texts.map(() => undefined));
  });

  it("is the inverse of signalName()", () => {
    for (let number = 1; number <= 64; number++)
      if (number !== 32 && number !== 33) expect(signalNumber(signalName(number))).toBe(number);
    expect([32, 33, 0, 65].map(signalName)).toEqual(["32", "33", "0", "65"]);
  });
});

describe("capabilityNumber()", () => {
  it("knows all 41 by the numbers of the kernel", () => {
    expect(capabilityNames.length).toBe(41);
    const names = ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE", "chown", "CAP_MOON"];
    expect(names.map(capabilityNumber)).toEqual([0, 21, 40, undefined, undefined]);
  });
});

describe("capabilitiesOf()", () => {
  it("names the bits of a mask", () => {
    expect(capabilitiesOf((1n << 21n) | 1n | (1n << 63n))).toEqual(["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_63"]);
  });
});

describe("rlimitNumber()", () => {
  it("knows the kernel's numbers, and rlimitName() their names", () => {
    expect(["RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_RTTIME", "NOFILE"].map(rlimitNumber)).toEqual([0, 7, 15, undefined]);
    expect([7, 16].map(rlimitName)).toEqual(["RLIMIT_NOFILE", "RLIMIT_16"]);
  });
});

describe("namespacesOf()", () => {
  it("names CLONE_NEW* flags", () => {
    expect(namespacesOf(0x7e02_0080n)).toEqual(["user", "pid", "network", "mount", "ipc", "uts", "cgroup", "time"]);
  });
});
