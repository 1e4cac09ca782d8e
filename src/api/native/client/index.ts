/** The client of a daemon: `import { connect } from "sampan/client"`. */
export { connect, EngineClient, type ConnectOptions } from "./engine.ts";
export { DaemonConnection, type TlsFiles } from "./connection.ts";
export { formatHost, parseHost, type DaemonHost } from "./host.ts";
export { SampanError, isSampanError, type ErrorCode, type ErrorFields } from "#errdefs";
