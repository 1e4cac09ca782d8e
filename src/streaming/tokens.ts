/** Requests that wait for their stream, each behind a token that is good once and for a minute. */
import { randomBytes } from "node:crypto";
import { resourceExhausted } from "#errdefs";
import type { StreamRequest } from "./backend.ts";

const lifetime = 60_000;
const maxTokens = 1000;

export class Tokens {
  readonly #requests = new Map<string, { readonly request: StreamRequest; readonly expires: number }>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that does not jump */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @throws SampanError `resource-exhausted` when a thousand requests wait already */
  add(request: StreamRequest): string {
    this.#expire();
    if (this.#requests.size >= maxTokens)
      throw resourceExhausted(`Cannot prepare a stream: ${maxTokens} others wait for their clients`);
    const token = randomBytes(16).toString("base64url");
    this.#requests.set(token, { request, expires: this.#now() + lifetime });
    return token;
  }

  /** The request, once. */
  take(token: string): StreamRequest | undefined {
    this.#expire();
    const found = this.#requests.get(token);
    this.#requests.delete(token);
    return found?.request;
  }

  /** They are in the order of their end. */
  #expire(): void {
    const now = this.#now();
    for (const [token, { expires }] of this.#requests) {
      if (expires > now) return;
      this.#requests.delete(token);
    }
  }
}
