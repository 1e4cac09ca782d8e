/**
 * How a command ended, as its error stream tells it: from version 4 of the protocol on Kubernetes' Status as JSON
 * (k8s.io/apimachinery, meta/v1), before that a text when something failed.
 */

export type Outcome =
  | { readonly kind: "success" }
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "failure"; readonly message: string };

export function encodeStatus(outcome: Outcome): string {
  return JSON.stringify({ metadata: {}, ...status(outcome) });
}

function status(outcome: Outcome): object {
  switch (outcome.kind) {
    case "success":
      return { status: "Success" };
    case "exit":
      return {
        status: "Failure",
        message: exitText(outcome.code),
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: String(outcome.code) }] },
      };
    case "failure":
      return {
        status: "Failure",
        message: outcome.message,
        reason: "InternalError",
        details: { causes: [{ message: outcome.message }] },
        code: 500,
      };
  }
}

/** Empty when all went well. */
export function statusText(outcome: Outcome): string {
  if (outcome.kind === "success") return "";
  return outcome.kind === "exit" ? exitText(outcome.code) : outcome.message;
}

const exitText = (code: number): string => `command terminated with non-zero exit code: exit status ${code}`;
