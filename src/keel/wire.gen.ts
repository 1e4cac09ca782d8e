// Generated from native/keel/wire/declaration.ts by `npm run generate`. Do not edit.

import type {
  IdMap,
  MountParameter,
  Setting,
  LandlockPath,
  LandlockPort,
  Xattr,
  FileChoice,
  Timestamp,
  Segment,
  Record,
  Result,
  Operation,
  Reply,
  Request,
} from "#plan";
import type { Reader, Writer } from "./wire.ts";

export const maxFrame = 8388608;

function encodeIdMap(w: Writer, v: IdMap): void {
  w.u32(v.inside);
  w.u32(v.outside);
  w.u32(v.count);
}

function encodeMountParameter(w: Writer, v: MountParameter): void {
  w.string(v.key);
  w.string(v.value);
}

function encodeSetting(w: Writer, v: Setting): void {
  w.string(v.key);
  w.string(v.value);
}

function encodeLandlockPath(w: Writer, v: LandlockPath): void {
  w.string(v.path);
  w.u64(v.access);
}

function encodeLandlockPort(w: Writer, v: LandlockPort): void {
  w.u16(v.port);
  w.u64(v.access);
}

function encodeXattr(w: Writer, v: Xattr): void {
  w.string(v.name);
  w.bytes(v.value);
}

function decodeXattr(r: Reader): Xattr {
  return { name: r.string(), value: r.bytes() };
}

function encodeFileChoice(w: Writer, v: FileChoice): void {
  w.string(v.name);
  w.string(v.data);
}

function encodeTimestamp(w: Writer, v: Timestamp): void {
  w.i64(v.seconds);
  w.u32(v.nanoseconds);
}

function decodeSegment(r: Reader): Segment {
  return { offset: r.u64(), size: r.u64() };
}

function encodeRecord(w: Writer, v: Record): void {
  w.string(v.before);
  w.string(v.after);
}

function decodeResult(r: Reader): Result {
  return { step: r.u32(), data: r.bytes() };
}

export function encodeOperation(w: Writer, v: Operation): void {
  switch (v.op) {
    case "clone":
      w.u16(1);
      w.u64(v.namespaces);
      w.string(v.cgroup);
      return;
    case "join-namespace":
      w.u16(2);
      w.u64(v.kind);
      w.string(v.path);
      return;
    case "join-container":
      w.u16(3);
      w.u64(v.namespaces);
      return;
    case "wait-start":
      w.u16(4);
      return;
    case "exec":
      w.u16(5);
      w.u32(v.arguments.length);
      for (const item of v.arguments) {
        w.string(item);
      }
      w.u32(v.environment.length);
      for (const item of v.environment) {
        w.string(item);
      }
      w.bool(v.init);
      return;
    case "find-executable":
      w.u16(6);
      w.string(v.command);
      w.string(v.path);
      w.string(v.directory);
      return;
    case "parent-death-signal":
      w.u16(7);
      w.u32(v.signal);
      return;
    case "session":
      w.u16(8);
      return;
    case "terminal":
      w.u16(9);
      w.u32(v.columns);
      w.u32(v.rows);
      w.bool(v.console);
      return;
    case "stdio-owner":
      w.u16(10);
      w.u32(v.uid);
      w.u32(v.gid);
      return;
    case "start-socket":
      w.u16(11);
      w.string(v.directory);
      return;
    case "hook":
      w.u16(12);
      w.bool(v.parent);
      w.string(v.path);
      w.u32(v.arguments.length);
      for (const item of v.arguments) {
        w.string(item);
      }
      w.u32(v.environment.length);
      for (const item of v.environment) {
        w.string(item);
      }
      w.string(v.directory);
      w.u32(v.timeout);
      w.string(v.before);
      w.string(v.after);
      return;
    case "seccomp-listener":
      w.u16(13);
      w.string(v.path);
      w.string(v.before);
      w.string(v.between);
      w.string(v.after);
      w.bool(v.pidfd);
      return;
    case "cgroup-create":
      w.u16(20);
      w.string(v.path);
      w.string(v.mount);
      w.bool(v.cpuset);
      w.u32(v.controllers.length);
      for (const item of v.controllers) {
        w.string(item);
      }
      return;
    case "join-cgroup":
      w.u16(21);
      w.u32(v.paths.length);
      for (const item of v.paths) {
        w.string(item);
      }
      w.bool(v.unshare);
      return;
    case "write-file":
      w.u16(22);
      w.string(v.path);
      w.string(v.data);
      w.bool(v.tolerate);
      return;
    case "cgroup-device-filter":
      w.u16(23);
      w.string(v.path);
      w.bytes(v.program);
      return;
    case "cgroup-kill":
      w.u16(24);
      w.string(v.path);
      return;
    case "cgroup-remove":
      w.u16(25);
      w.string(v.path);
      return;
    case "freeze":
      w.u16(26);
      w.string(v.path);
      w.bool(v.frozen);
      return;
    case "write-first":
      w.u16(27);
      w.string(v.directory);
      w.u32(v.choices.length);
      for (const item of v.choices) {
        encodeFileChoice(w, item);
      }
      return;
    case "cgroup-owner":
      w.u16(28);
      w.string(v.path);
      w.u32(v.uid);
      w.u32(v.gid);
      w.u32(v.files.length);
      for (const item of v.files) {
        w.string(item);
      }
      return;
    case "propagation":
      w.u16(30);
      w.u64(v.mode);
      w.bool(v.recursive);
      return;
    case "root-overlay":
      w.u16(31);
      w.u32(v.lower.length);
      for (const item of v.lower) {
        w.string(item);
      }
      w.string(v.upper);
      w.string(v.work);
      w.u32(v.parameters.length);
      for (const item of v.parameters) {
        encodeMountParameter(w, item);
      }
      w.string(v.target);
      return;
    case "root-bind":
      w.u16(32);
      w.string(v.path);
      w.bool(v.recursive);
      return;
    case "root-directory":
      w.u16(33);
      w.string(v.path);
      return;
    case "mount":
      w.u16(34);
      w.string(v.type);
      w.string(v.source);
      w.string(v.target);
      w.u64(v.attributes);
      w.u32(v.parameters.length);
      for (const item of v.parameters) {
        encodeMountParameter(w, item);
      }
      w.u32(v.mode);
      return;
    case "bind":
      w.u16(35);
      w.string(v.source);
      w.string(v.target);
      w.bool(v.recursive);
      w.u64(v.set);
      w.u64(v.clear);
      w.u64(v.setRecursive);
      w.u64(v.clearRecursive);
      w.u64(v.propagation);
      w.bool(v.propagationRecursive);
      return;
    case "mount-attributes":
      w.u16(36);
      w.string(v.path);
      w.u64(v.set);
      w.u64(v.clear);
      w.bool(v.recursive);
      return;
    case "directory":
      w.u16(37);
      w.string(v.path);
      w.u32(v.mode);
      w.u32(v.uid);
      w.u32(v.gid);
      return;
    case "symlink":
      w.u16(38);
      w.string(v.target);
      w.string(v.path);
      return;
    case "device":
      w.u16(39);
      w.string(v.path);
      w.u32(v.mode);
      w.u32(v.major);
      w.u32(v.minor);
      w.u32(v.uid);
      w.u32(v.gid);
      return;
    case "mask":
      w.u16(40);
      w.string(v.path);
      return;
    case "read-only-path":
      w.u16(41);
      w.string(v.path);
      return;
    case "copy-tree":
      w.u16(42);
      w.string(v.source);
      w.string(v.destination);
      return;
    case "read-file":
      w.u16(43);
      w.string(v.path);
      w.u32(v.limit);
      return;
    case "pivot-root":
      w.u16(44);
      return;
    case "open-source":
      w.u16(45);
      w.u32(v.slot);
      w.string(v.source);
      w.bool(v.recursive);
      w.bool(v.noFollow);
      w.bool(v.peer);
      w.u64(v.set);
      w.u64(v.clear);
      w.u64(v.setRecursive);
      w.u64(v.clearRecursive);
      w.u64(v.propagation);
      w.bool(v.propagationRecursive);
      w.u32(v.uids.length);
      for (const item of v.uids) {
        encodeIdMap(w, item);
      }
      w.u32(v.gids.length);
      for (const item of v.gids) {
        encodeIdMap(w, item);
      }
      w.string(v.userNamespace);
      w.bool(v.mapRecursive);
      return;
    case "attach-source":
      w.u16(46);
      w.u32(v.slot);
      w.string(v.target);
      w.bool(v.noFollow);
      w.bool(v.copyLink);
      return;
    case "mount-over":
      w.u16(47);
      w.string(v.type);
      w.string(v.source);
      w.string(v.target);
      w.u64(v.attributes);
      w.u32(v.parameters.length);
      for (const item of v.parameters) {
        encodeMountParameter(w, item);
      }
      w.u32(v.mode);
      w.bool(v.keepMode);
      w.bool(v.copy);
      return;
    case "mount-propagation":
      w.u16(48);
      w.string(v.path);
      w.u64(v.mode);
      w.bool(v.recursive);
      return;
    case "reconfigure":
      w.u16(49);
      w.string(v.path);
      w.u32(v.parameters.length);
      for (const item of v.parameters) {
        encodeMountParameter(w, item);
      }
      return;
    case "move-root":
      w.u16(50);
      return;
    case "unmount-path":
      w.u16(51);
      w.string(v.path);
      return;
    case "id-map":
      w.u16(60);
      w.u32(v.uids.length);
      for (const item of v.uids) {
        encodeIdMap(w, item);
      }
      w.u32(v.gids.length);
      for (const item of v.gids) {
        encodeIdMap(w, item);
      }
      w.bool(v.denySetgroups);
      return;
    case "time-offset":
      w.u16(61);
      w.string(v.clock);
      w.i64(v.seconds);
      w.u32(v.nanoseconds);
      return;
    case "time-namespace":
      w.u16(62);
      return;
    case "enter-time-namespace":
      w.u16(63);
      return;
    case "hostname":
      w.u16(64);
      w.string(v.name);
      return;
    case "domainname":
      w.u16(65);
      w.string(v.name);
      return;
    case "sysctl":
      w.u16(66);
      w.string(v.key);
      w.string(v.value);
      return;
    case "loopback-up":
      w.u16(67);
      return;
    case "rlimit":
      w.u16(68);
      w.u32(v.resource);
      w.u64(v.soft);
      w.u64(v.hard);
      return;
    case "keyring":
      w.u16(69);
      w.string(v.name);
      return;
    case "user":
      w.u16(70);
      w.u32(v.uid);
      w.u32(v.gid);
      w.u32(v.groups.length);
      for (const item of v.groups) {
        w.u32(item);
      }
      w.u32(v.umask);
      return;
    case "bounding-set":
      w.u16(71);
      w.u64(v.keep);
      return;
    case "capabilities":
      w.u16(72);
      w.u64(v.effective);
      w.u64(v.permitted);
      w.u64(v.inheritable);
      w.u64(v.ambient);
      return;
    case "no-new-privileges":
      w.u16(73);
      return;
    case "seccomp":
      w.u16(74);
      w.bytes(v.program);
      w.u32(v.flags);
      return;
    case "working-directory":
      w.u16(75);
      w.string(v.path);
      return;
    case "scheduler":
      w.u16(80);
      w.u32(v.policy);
      w.u64(v.flags);
      w.i32(v.nice);
      w.u32(v.priority);
      w.u64(v.runtime);
      w.u64(v.deadline);
      w.u64(v.period);
      return;
    case "io-priority":
      w.u16(81);
      w.u32(v.class);
      w.u32(v.level);
      return;
    case "cpu-affinity":
      w.u16(82);
      w.u32(v.processors.length);
      for (const item of v.processors) {
        w.u32(item);
      }
      return;
    case "personality":
      w.u16(83);
      w.u64(v.domain);
      return;
    case "memory-policy":
      w.u16(84);
      w.u32(v.mode);
      w.u32(v.nodes.length);
      for (const item of v.nodes) {
        w.u32(item);
      }
      return;
    case "security-attribute":
      w.u16(85);
      w.string(v.module);
      w.string(v.attribute);
      w.string(v.value);
      return;
    case "remove-directory":
      w.u16(86);
      w.string(v.path);
      return;
    case "directory-xattr":
      w.u16(87);
      w.string(v.path);
      w.string(v.name);
      w.string(v.value);
      return;
    case "move-network-device":
      w.u16(88);
      w.string(v.name);
      w.string(v.newName);
      return;
    case "landlock":
      w.u16(89);
      w.u64(v.handledFiles);
      w.u64(v.handledNetwork);
      w.u64(v.scoped);
      w.bool(v.bestEffort);
      w.u32(v.paths.length);
      for (const item of v.paths) {
        encodeLandlockPath(w, item);
      }
      w.u32(v.ports.length);
      for (const item of v.ports) {
        encodeLandlockPort(w, item);
      }
      return;
    case "remove-tree":
      w.u16(90);
      w.string(v.path);
      return;
    case "unmount":
      w.u16(91);
      w.string(v.path);
      return;
    case "host-directory":
      w.u16(92);
      w.string(v.path);
      w.u32(v.mode);
      w.u32(v.uid);
      w.u32(v.gid);
      return;
    case "netlink":
      w.u16(100);
      w.u32(v.protocol);
      w.bytes(v.messages);
      w.string(v.networkNamespace);
      w.u32(v.descriptors.length);
      for (const item of v.descriptors) {
        w.string(item);
      }
      w.string(v.purpose);
      return;
    case "forward-port":
      w.u16(101);
      w.u32(v.protocol);
      w.string(v.address);
      w.u32(v.port);
      w.string(v.target);
      w.u32(v.targetPort);
      w.u32(v.pid);
      w.string(v.file);
      return;
    case "forward-namespace":
      w.u16(130);
      w.string(v.directory);
      w.string(v.name);
      w.string(v.network);
      w.u32(v.pid);
      return;
    case "memory-file":
      w.u16(110);
      w.string(v.path);
      w.bytes(v.data);
      w.u32(v.mode);
      w.u32(v.uid);
      w.u32(v.gid);
      return;
    case "pin-namespaces":
      w.u16(111);
      w.u64(v.namespaces);
      w.string(v.directory);
      w.string(v.hostname);
      w.u32(v.uids.length);
      for (const item of v.uids) {
        encodeIdMap(w, item);
      }
      w.u32(v.gids.length);
      for (const item of v.gids) {
        encodeIdMap(w, item);
      }
      w.u32(v.sysctls.length);
      for (const item of v.sysctls) {
        encodeSetting(w, item);
      }
      return;
    case "root-alone":
      w.u16(120);
      w.bool(v.readOnly);
      return;
    case "mount-layers":
      w.u16(121);
      w.u32(v.lower.length);
      for (const item of v.lower) {
        w.string(item);
      }
      w.string(v.subpath);
      w.string(v.target);
      w.u64(v.attributes);
      return;
    case "peer-credentials":
      w.u16(125);
      w.u32(v.pid);
      w.u32(v.descriptor);
      return;
    case "notify-service":
      w.u16(126);
      w.string(v.path);
      w.u32(v.pid);
      w.string(v.text);
      return;
    case "helper":
      w.u16(155);
      w.string(v.path);
      w.u32(v.arguments.length);
      for (const item of v.arguments) {
        w.string(item);
      }
      w.u32(v.environment.length);
      for (const item of v.environment) {
        w.string(item);
      }
      w.bytes(v.input);
      w.u32(v.timeout);
      w.u32(v.limit);
      w.bool(v.succeed);
      w.string(v.lock);
      return;
  }
}

/** Writes the message's number and fields; the frame around it is the caller's. */
export function encodeRequest(w: Writer, v: Request): void {
  switch (v.kind) {
    case "execute":
      w.u16(1);
      w.u32(v.program.length);
      for (const item of v.program) encodeOperation(w, item);
      return;
    case "create":
      w.u16(2);
      w.string(v.stateDirectory);
      w.string(v.log);
      w.bool(v.terminal);
      w.bool(v.openStdin);
      w.bool(v.stdinOnce);
      w.bool(v.inheritStdio);
      w.string(v.oomFile);
      w.u32(v.program.length);
      for (const item of v.program) encodeOperation(w, item);
      w.u32(v.exitProgram.length);
      for (const item of v.exitProgram) encodeOperation(w, item);
      w.u32(v.exitCommand.length);
      for (const item of v.exitCommand) {
        w.string(item);
      }
      w.bool(v.orphan);
      w.string(v.consoleSocket);
      w.string(v.pidfdSocket);
      w.u32(v.preserve);
      w.u32(v.container);
      w.u64(v.containerStart);
      w.string(v.journal);
      encodeRecord(w, v.startRecord);
      encodeRecord(w, v.exitRecord);
      encodeRecord(w, v.oomRecord);
      w.u64(v.logMaxSize);
      w.u32(v.logMaxFiles);
      return;
    case "start":
      w.u16(10);
      return;
    case "attach":
      w.u16(11);
      w.bool(v.stdin);
      w.bool(v.output);
      return;
    case "input":
      w.u16(12);
      w.bytes(v.data);
      return;
    case "close-input":
      w.u16(13);
      return;
    case "resize":
      w.u16(14);
      w.u32(v.columns);
      w.u32(v.rows);
      return;
    case "signal":
      w.u16(15);
      w.u32(v.signal);
      w.u32(v.process);
      return;
    case "wait":
      w.u16(16);
      return;
    case "status":
      w.u16(17);
      return;
    case "exec":
      w.u16(18);
      w.bool(v.terminal);
      w.bool(v.openStdin);
      w.bool(v.output);
      w.u32(v.program.length);
      for (const item of v.program) encodeOperation(w, item);
      return;
    case "reopen-log":
      w.u16(19);
      return;
    case "apply-open":
      w.u16(30);
      w.string(v.root);
      w.bool(v.overlay);
      return;
    case "apply-directory":
      w.u16(31);
      w.string(v.path);
      w.u32(v.mode);
      w.u32(v.uid);
      w.u32(v.gid);
      encodeTimestamp(w, v.modified);
      w.u32(v.xattrs.length);
      for (const item of v.xattrs) {
        encodeXattr(w, item);
      }
      return;
    case "apply-file":
      w.u16(32);
      w.string(v.path);
      w.u64(v.size);
      w.u32(v.mode);
      w.u32(v.uid);
      w.u32(v.gid);
      encodeTimestamp(w, v.modified);
      w.u32(v.xattrs.length);
      for (const item of v.xattrs) {
        encodeXattr(w, item);
      }
      return;
    case "apply-data":
      w.u16(33);
      w.u64(v.offset);
      w.bytes(v.data);
      return;
    case "apply-end":
      w.u16(34);
      return;
    case "apply-symlink":
      w.u16(35);
      w.string(v.path);
      w.string(v.target);
      w.u32(v.uid);
      w.u32(v.gid);
      encodeTimestamp(w, v.modified);
      w.u32(v.xattrs.length);
      for (const item of v.xattrs) {
        encodeXattr(w, item);
      }
      return;
    case "apply-hardlink":
      w.u16(36);
      w.string(v.path);
      w.string(v.target);
      return;
    case "apply-node":
      w.u16(37);
      w.string(v.path);
      w.u32(v.mode);
      w.u32(v.major);
      w.u32(v.minor);
      w.u32(v.uid);
      w.u32(v.gid);
      encodeTimestamp(w, v.modified);
      w.u32(v.xattrs.length);
      for (const item of v.xattrs) {
        encodeXattr(w, item);
      }
      return;
    case "apply-whiteout":
      w.u16(38);
      w.string(v.path);
      return;
    case "apply-opaque":
      w.u16(39);
      w.string(v.path);
      return;
    case "apply-finish":
      w.u16(40);
      w.bool(v.sync);
      w.u32(v.marks.length);
      for (const item of v.marks) {
        w.string(item);
      }
      return;
    case "browse-open":
      w.u16(60);
      w.bool(v.mounts);
      w.u32(v.program.length);
      for (const item of v.program) encodeOperation(w, item);
      return;
    case "browse-look":
      w.u16(61);
      w.string(v.path);
      w.bool(v.follow);
      return;
    case "browse-walk":
      w.u16(62);
      w.string(v.path);
      w.bool(v.follow);
      w.u8(v.depth);
      w.bool(v.cross);
      w.bool(v.content);
      return;
    case "browse-write":
      w.u16(63);
      return;
  }
}

/** Undefined for a message number that this version does not know. */
export function decodeReply(kind: number, r: Reader): Reply | undefined {
  switch (kind) {
    case 100:
      return { kind: "done" };
    case 101:
      return { kind: "failed", step: r.i32(), errno: r.u32(), syscall: r.string(), detail: r.string() };
    case 102:
      return { kind: "executed", results: r.list(() => decodeResult(r)) };
    case 103:
      return { kind: "created", pid: r.u32(), monitor: r.u32() };
    case 104:
      return { kind: "output", stream: r.u8(), data: r.bytes() };
    case 105:
      return {
        kind: "exited",
        status: r.u32(),
        signal: r.u32(),
        oomKilled: r.bool(),
        seconds: r.i64(),
        nanoseconds: r.u32(),
      };
    case 106:
      return { kind: "exec-started", pid: r.u32() };
    case 107:
      return { kind: "status-is", state: r.u8(), pid: r.u32(), execs: r.list(() => r.u32()) };
    case 120:
      return {
        kind: "found",
        path: r.string(),
        link: r.string(),
        mode: r.u32(),
        uid: r.u32(),
        gid: r.u32(),
        major: r.u32(),
        minor: r.u32(),
        size: r.u64(),
        seconds: r.i64(),
        nanoseconds: r.u32(),
        target: r.string(),
        xattrs: r.list(() => decodeXattr(r)),
        segments: r.list(() => decodeSegment(r)),
      };
    case 121:
      return { kind: "found-data", data: r.bytes() };
    case 122:
      return { kind: "found-end" };
    default:
      return undefined;
  }
}
