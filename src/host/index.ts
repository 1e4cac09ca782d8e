export { doctor, type Finding } from "./doctor.ts";
export { parseMountInfo, type MountInfo } from "./mountinfo.ts";
export { probeHost, probeResctrl } from "./probe.ts";
export { processIsAlive, processStartTime } from "./process.ts";
