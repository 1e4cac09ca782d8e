/** One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1). */
export interface Challenge {
  /** Lower case, e.g. `bearer`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameterPattern = new RegExp(`(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, "y");
const schemePattern = new RegExp(`(${token})(?:\\s+|$)`, "y");
const separatorPattern = /[\s,]*/y;
/** A token68, which only schemes have that are not used here. */
const token68Pattern = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;

/** Reads the header, several of which may be joined by commas. What cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(header);
    if (match !== null) position = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(separatorPattern);
    if (position >= header.length) return challenges;
    const current = challenges.at(-1);
    const parameter = current === undefined ? null : take(parameterPattern);
    if (current !== undefined && parameter !== null) {
      const value = parameter[3] ?? (parameter[2] ?? "").replace(/\\(.)/g, "$1");
      current.parameters.set((parameter[1] ?? "").toLowerCase(), value);
      continue;
    }
    const scheme = take(schemePattern);
    if (scheme === null) {
      if (current === undefined || take(token68Pattern) === null) return challenges;
      continue;
    }
    challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters: new Map() });
  }
}
