/**
 * `node fault-proxy-main.ts UPSTREAM RULES`: a fault proxy as a process of its own, for test hosts, whose loopback the
 * test process cannot reach. Prints its port, then each request as a line of JSON. A line on stdin replaces the rules.
 */
import { createInterface } from "node:readline";
import { FaultProxy, type FaultRule } from "./fault-proxy.ts";

const [upstream = "", rules = "[]"] = process.argv.slice(2);
const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const proxy = await FaultProxy.start(upstream, JSON.parse(rules) as FaultRule[], print);
print(proxy.port);
for await (const line of createInterface({ input: process.stdin })) {
  proxy.setRules(JSON.parse(line) as FaultRule[]);
  print("set");
}
await proxy[Symbol.asyncDispose]();
