/** Streams of exec, attach and port-forward as Kubernetes' clients speak them, by SPDY/3.1 and WebSocket. */
export type {
  AttachStream,
  ExecStream,
  PortForwardStream,
  ProcessStreams,
  StreamBackend,
  StreamRequest,
  TerminalSize,
} from "./backend.ts";
export { StreamingServer, type StreamingOptions } from "./server.ts";
