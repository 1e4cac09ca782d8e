import { cancelled, permissionDenied, type SampanError, unavailable } from "#errdefs";

/** A connection that could not be made or broke; `retriable` when another try may help. */
export class ConnectionFailure extends Error {
  readonly reason: string;
  readonly retriable: boolean;
  readonly remedy: string;
  /** Nothing answered, or not in TLS: plain http may. */
  readonly tryPlain: boolean;

  constructor(reason: string, options: { retriable: boolean; remedy: string; tryPlain?: boolean; cause?: unknown }) {
    super(reason, { cause: options.cause });
    this.reason = reason;
    this.retriable = options.retriable;
    this.remedy = options.remedy;
    this.tryPlain = options.tryPlain ?? false;
  }
}

/** Codes of a certificate that may be valid, for those who know who made it. */
export const unknownAuthority =
  /^(UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/;

const certificateCodes =
  /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/;

/** What a socket's error means. */
export function connectionFailure(cause: unknown, host: string): ConnectionFailure {
  if (cause instanceof ConnectionFailure) return cause;
  // Happy eyeballs collects one error for each address that it tried.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  const code = (first as NodeJS.ErrnoException | undefined)?.code ?? "";
  const failure = (reason: string, remedy: string, retriable = false, tryPlain = false): ConnectionFailure =>
    new ConnectionFailure(reason, { retriable, remedy, tryPlain, cause });
  const network = "Check the network and the registry's address";
  if (code === "ENOTFOUND") return failure(`host ${host} is not known`, network);
  if (code === "EAI_AGAIN") return failure(`the name server does not answer for ${host}`, network, true);
  if (code === "ECONNREFUSED") return failure(`${host} refuses connections`, "Check that it runs", false, true);
  if (code === "ECONNRESET" || code === "EPIPE" || code === "HPE_INVALID_EOF_STATE") {
    return failure(`${host} closed the connection`, "Try again", true);
  }
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return failure(`${host} cannot be reached`, network, true);
  }
  if (/ALTNAME_INVALID|HOSTNAME_MISMATCH/.test(code)) {
    return failure(`the certificate of ${host} is for another host`, "Use the name that the certificate has");
  }
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(code)) {
    const state = code === "CERT_HAS_EXPIRED" ? "has run out" : "is not valid yet";
    return failure(
      `the certificate of ${host} ${state}`,
      "Check this machine's clock, or have the certificate renewed",
    );
  }
  if (unknownAuthority.test(code)) {
    return failure(
      `the certificate of ${host} is by an authority that is not known here`,
      `Put its authority's certificate at /etc/sampan/certs.d/${host}/ca.crt, or declare the registry insecure`,
    );
  }
  if (certificateCodes.test(code)) {
    return failure(`the certificate of ${host} is not valid (${code})`, "Report it to whoever runs the registry");
  }
  if (/^ERR_SSL_.*(?:CERTIFICATE_REQUIRED|ALERT_.*CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_HANDSHAKE_FAILURE)/.test(code)) {
    return failure(
      `${host} wants a client's certificate, or another one`,
      `Put it at /etc/sampan/certs.d/${host}/client.cert, and its key at client.key beside it`,
    );
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    const remedy = "Declare the registry insecure, or write its address with http:// in hosts.toml, if it has no TLS";
    return failure(`${host} does not speak TLS`, remedy, false, !/ALERT/.test(code));
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return failure(`the headers of ${host}'s answer are too long`, "Allow more with maxHeaderSize");
  }
  if (code === "ERR_PROXY_TUNNEL") {
    const status = /HTTP\/1\.\d (\d{3})/.exec((first as Error).message)?.[1];
    const refused = status === undefined ? "" : ` (status ${status})`;
    return failure(
      `the proxy makes no connection to ${host}${refused}`,
      "Check HTTPS_PROXY and its password, or except the host in NO_PROXY",
    );
  }
  return failure(`the connection to ${host} failed (${code || String(first)})`, network, code.startsWith("HPE_"));
}

/** The error for a user, once trying again did not help. */
export function toSampanError(error: unknown, action: string): unknown {
  if (!(error instanceof ConnectionFailure)) return error;
  return unavailable(`${action}: ${error.reason}`, { remedy: error.remedy, cause: error.cause ?? error });
}

/** For a status that no caller has a better word for. */
export function statusError(action: string, status: number, host: string, detail: string): SampanError {
  const said = detail === "" ? "" : ` (${detail})`;
  if (status === 429) {
    return unavailable(`${action}: ${host} limits the rate of requests${said}`, {
      status,
      remedy: "Wait, or log in for a higher limit",
    });
  }
  if (status === 403) {
    return permissionDenied(`${action}: ${host} denies access${said}`, { status, remedy: "Log in to the registry" });
  }
  return unavailable(`${action}: ${host} answers with status ${status}${said}`, {
    status,
    remedy: status >= 500 ? "Try again later" : "Check that it is an OCI registry",
  });
}

export function abortError(action: string, signal: AbortSignal): SampanError {
  return cancelled(`${action}: it was cancelled`, { cause: signal.reason });
}
