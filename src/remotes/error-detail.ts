import { isSampanError } from "#errdefs";
import type { HttpResponse } from "./http.ts";

const maxErrorAnswer = 64 * 1024;

/** First entry of a registry's error answer (distribution-spec, error codes). */
export async function errorDetail(response: HttpResponse): Promise<{ code: string; detail: string }> {
  try {
    const bytes = await response.bytes(maxErrorAnswer);
    const answer = JSON.parse(Buffer.from(bytes ?? []).toString("utf8")) as {
      errors?: readonly { code?: unknown; message?: unknown }[];
    };
    const { code, message } = answer.errors?.[0] ?? {};
    const text = typeof message === "string" ? message.replace(/[^\x20-\x7e]/g, " ").slice(0, 200) : "";
    return { code: typeof code === "string" ? code : "", detail: text };
  } catch (error) {
    if (isSampanError(error)) throw error;
    return { code: "", detail: "" };
  }
}
