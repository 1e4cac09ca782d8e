import { permissionDenied, unavailable } from "#errdefs";
import { parseChallenges, type Challenge } from "./challenge.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";
import { isLoopback } from "./endpoint.ts";
import { ConnectionFailure } from "./failure.ts";
import type { HttpClient, HttpResponse, Target } from "./http.ts";

/** Token servers that say nothing mean 60 seconds (distribution's token specification). */
const defaultLifetime = 60;
/** Seconds before its end at which a token is not used any more. */
const margin = 5;
const maxTokenAnswer = 1024 * 1024;

interface Token {
  readonly header: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Gets and keeps what one registry wants in the Authorization header. */
export class Authorizer {
  readonly #domain: string;
  readonly #source: CredentialSource;
  readonly #client: HttpClient;
  readonly #tokens = new Map<string, Token | Promise<Token>>();

  constructor(domain: string, source: CredentialSource, client: HttpClient) {
    this.#domain = domain;
    this.#source = source;
    this.#client = client;
  }

  /** The header for a scope, when an earlier challenge told what it must be. */
  async header(scope: string): Promise<string | undefined> {
    const token = await this.#tokens.get(scope);
    return token !== undefined && token.expires > Date.now() ? token.header : undefined;
  }

  /**
   * Answers a 401 by getting a header for the scope. Requests side by side share one.
   *
   * @param used the header that the registry refused
   * @returns false when there is nothing (more) to answer with
   * @throws ConnectionFailure when the token server does not answer; SampanError `permission-denied` when it refuses
   */
  async answer(
    response: HttpResponse,
    scope: string,
    target: Target,
    used: string | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const known = await this.header(scope);
    if (known !== undefined && known !== used) return true;
    const challenges = parseChallenges(response.headers["www-authenticate"] ?? "");
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    const basic = challenges.find(({ scheme }) => scheme === "basic");
    const credentials = await this.#source(this.#domain);
    let pending: Promise<Token> | undefined;
    if (credentials !== undefined && "registryToken" in credentials) {
      pending = Promise.resolve({ header: `Bearer ${credentials.registryToken}`, expires: Infinity });
    } else if (bearer !== undefined) {
      pending = this.#fetchToken(bearer, scope, target, credentials, signal);
    } else if (basic !== undefined && credentials !== undefined && "username" in credentials) {
      pending = Promise.resolve({ header: basicHeader(credentials), expires: Infinity });
    }
    if (pending === undefined) return false;
    this.#tokens.set(scope, pending);
    try {
      const token = await pending;
      this.#tokens.set(scope, token);
      return token.header !== used;
    } catch (error) {
      this.#tokens.delete(scope);
      throw error;
    }
  }

  async #fetchToken(
    challenge: Challenge,
    scope: string,
    target: Target,
    credentials: Credentials | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const realm = URL.parse(challenge.parameters.get("realm") ?? "");
    const action = `Cannot log in to "${this.#domain}"`;
    if (realm === null || !/^https?:$/.test(realm.protocol)) {
      throw unavailable(`${action}: it names no token server`, { remedy: "Check that it is an OCI registry" });
    }
    if (realm.protocol === "http:" && target.origin.startsWith("https:") && !isLoopback(realm.host)) {
      throw permissionDenied(`${action}: its token server ${realm.host} speaks plain http`, {
        remedy: "Report it to whoever runs the registry",
      });
    }
    const service = challenge.parameters.get("service") ?? "";
    const response = await this.#client.send({ ...tokenRequest(realm, service, scope, credentials), signal }, target);
    if (response.status >= 500 || response.status === 429) {
      response.discard();
      throw new ConnectionFailure(`token server ${realm.host} answers with status ${response.status}`, {
        retriable: true,
        remedy: "Try again later",
      });
    }
    if (response.status !== 200) {
      response.discard();
      const state = credentials === undefined ? "gives no token without a login" : "refuses the user name or password";
      throw permissionDenied(`${action}: token server ${realm.host} ${state}`, {
        status: response.status,
        remedy: "Check the credentials for this registry",
      });
    }
    const token = parseToken(await response.bytes(maxTokenAnswer));
    if (token === undefined) {
      throw unavailable(`${action}: token server ${realm.host} gives no usable token`, {
        remedy: "Report it to whoever runs the registry",
      });
    }
    return token;
  }
}

/** A GET as distribution's token specification has it, or for a refresh token its OAuth 2 POST. */
function tokenRequest(
  realm: URL,
  service: string,
  scope: string,
  credentials: Credentials | undefined,
): { method: "GET" | "POST"; url: URL; headers: Record<string, string>; body?: string } {
  if (credentials !== undefined && "identityToken" in credentials) {
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      service,
      scope,
      client_id: "sampan",
      refresh_token: credentials.identityToken,
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: body.toString() };
  }
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  // Several scopes, as a mount needs them, are parameters of their own here and one list in a POST.
  for (const one of scope === "" ? [] : scope.split(" ")) url.searchParams.append("scope", one);
  const withPassword = credentials !== undefined && "username" in credentials;
  return { method: "GET", url, headers: withPassword ? { authorization: basicHeader(credentials) } : {} };
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

function parseToken(bytes: Uint8Array | undefined): Token | undefined {
  if (bytes === undefined) return undefined;
  let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    answer = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof answer;
  } catch {
    return undefined;
  }
  const token = answer?.token ?? answer?.access_token;
  // Nothing that would end the header line.
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  const lifetime = typeof answer?.expires_in === "number" ? answer.expires_in : defaultLifetime;
  return { header: `Bearer ${token}`, expires: Date.now() + Math.max(lifetime - margin, margin) * 1000 };
}
