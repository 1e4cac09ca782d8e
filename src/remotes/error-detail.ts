import { isSampanError } from "#errdefs";
import type { HttpResponse } from "./http.ts";

const maxErrorAnswer = 64 * 1024;

/** First entry of a registry's error answer (distribution-spec, error codes). */
export async function errorDetail(response: HttpResponse): Promise<{ code: string; detail: string }> {
  let body = "";
  try {
    body = Buffer.from((await response.bytes(maxErrorAnswer)) ?? []).toString("utf8");
    const answer = JSON.parse(body) as {
      errors?: readonly { code?: unknown; message?: unknown }[];
    };
    const { code, message } = answer.errors?.[0] ?? {};
    const text = typeof message === "string" ? message.replace(/[^\x20-\x7e]/g, " ").slice(0, 200) : "";
    return { code: typeof code === "string" ? code : "", detail: text };
  } catch (error) {
    if (isSampanError(error)) throw error;
    // What Go's and nginx's servers say.
    if (/HTTP request (?:to an HTTPS server|was sent to HTTPS port)/i.test(body)) {
      return { code: "", detail: "it speaks TLS, and was asked in plain http" };
    }
    return { code: "", detail: "" };
  }
}
