/** Signals of x86 and arm, from signal(7); the index is the number. */
const names: readonly string[] =
  `NULL HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS`.split(
    " ",
  );
const synonyms: ReadonlyMap<string, number> = new Map([
  ["CLD", 17],
  ["IOT", 6],
  ["POLL", 29],
  ["UNUSED", 31],
]);

/** SIGRTMIN as glibc and musl give it to programs; the kernel's own first two are theirs. */
const rtmin = 34;
const rtmax = 64;

/**
 * Number of a signal: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1`. Undefined for what is no signal, and for 0.
 */
export function signalNumber(text: string): number | undefined {
  if (/^[0-9]{1,2}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= rtmax ? number : undefined;
  }
  const upper = text.toUpperCase();
  const name = upper.startsWith("SIG") ? upper.slice(3) : upper;
  const number = names.indexOf(name);
  if (number > 0) return number;
  const realTime = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime === null) return synonyms.get(name);
  const [, base, sign, digits] = realTime;
  const offset = Number(digits ?? "0");
  if (base === "MIN" ? sign === "-" : sign === "+") return undefined;
  const found = base === "MIN" ? rtmin + offset : rtmax - offset;
  return found >= rtmin && found <= rtmax ? found : undefined;
}

/** 15 → `SIGTERM`, 37 → `SIGRTMIN+3`; the bare number for one without a name. */
export function signalName(number: number): string {
  if (number > 0 && number < names.length) return `SIG${names[number] ?? ""}`;
  if (number === rtmin) return "SIGRTMIN";
  if (number === rtmax) return "SIGRTMAX";
  return number > rtmin && number < rtmax ? `SIGRTMIN+${number - rtmin}` : String(number);
}
