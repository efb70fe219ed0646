// One test file's world: sandbox, relay, and the core behind its bridge, on free ports and in a folder that goes away.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import type { UseCases } from "../../ui/src/gen/api";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const built = (name: string) => join(root, "target/debug", name);

/** What a use case takes, with what may be left out left out, and what it answers. */
type Argument<K extends keyof UseCases> = Partial<UseCases[K]["argument"]>;
type Answer<K extends keyof UseCases> = UseCases[K]["answer"];

/** Sandbox, relay and bridge. */
export interface World {
  sandbox: string;
  relay: string;
  bridge: string;
  token: string;
  /** Tells the sandbox to do something. */
  tell(path: string, body: unknown): Promise<void>;
  /** The sandbox answers well again. */
  heal(): Promise<void>;
  /** Everything the sandbox holds, as text. */
  held(): Promise<string>;
  /** Calls a use case past the interface. */
  call<K extends keyof UseCases>(name: K, argument?: Argument<K>): Promise<Answer<K>>;
  /** Ends once `look` says so; it looks again after every change the core tells. */
  until(look: () => Promise<boolean>): Promise<void>;
  /** Sandbox and relay end: the network is gone. */
  unplug(): void;
  stop(): void;
}

/** Starts a server and waits for its line of JSON. */
async function started(program: string, words: string[], environment: Record<string, string> = {}) {
  const child = spawn(program, words, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, said: JSON.parse(line) as Record<string, string> };
  }
  throw new Error(`${program} ended without a word`);
}

/** Looks now and after each change; changes that come while it looks are looked at once, after it. */
function following(base: string, token: string, look: () => Promise<boolean>): Promise<void> {
  const socket = new WebSocket(`${base.replace("http", "ws")}/changes`, [`shopbell.${token}`]);
  let looking = false;
  let again = false;
  return new Promise<void>((resolve, reject) => {
    const next = async () => {
      again = true;
      if (looking) return;
      looking = true;
      while (again) {
        again = false;
        if (await look()) return resolve();
      }
      looking = false;
    };
    socket.on("open", () => next().catch(reject));
    socket.on("message", () => next().catch(reject));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the bridge closed")));
  }).finally(() => socket.close());
}

export async function startWorld(size = "small"): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "shopbell-web-"));
  mkdirSync(join(folder, "profile"));
  const sandbox = await started(built("shopbell-sandbox"), ["--port", "0", "--seed", "kornblume", "--size", size]);
  const address = (sandbox.said.base_url ?? "").replace(/\/$/, "");
  const upstream = Object.fromEntries(
    ["graph.facebook.com", "graph.instagram.com", "api.instagram.com", "www.facebook.com", "www.instagram.com"].map((host) => {
      const [first, second] = host.split(".");
      return [`SHOPBELL_RELAY_UPSTREAM_${first?.toUpperCase()}_${second?.toUpperCase()}`, `${address}/${host}`];
    }),
  );
  const server = await started(built("shopbell-relay"), ["--port", "0"], {
    SHOPBELL_RELAY_LOG: "warn",
    SHOPBELL_RELAY_STORAGE: `sqlite:${join(folder, "relay.db")}`,
    SHOPBELL_RELAY_KEY_FILE: join(folder, "relay.key"),
    SHOPBELL_RELAY_VERIFY_TOKEN: "shopbell-verify",
    SHOPBELL_RELAY_FACEBOOK_APP_ID: "138000000000001",
    SHOPBELL_RELAY_FACEBOOK_APP_SECRET: "0123456789abcdef0123456789abcdef",
    SHOPBELL_RELAY_INSTAGRAM_APP_ID: "990000000000002",
    SHOPBELL_RELAY_INSTAGRAM_APP_SECRET: "fedcba9876543210fedcba9876543210",
    ...upstream,
  });
  writeFileSync(join(folder, "profile/endpoints.json"), JSON.stringify({ relay: server.said.listening, sandbox: address }));
  const bridge = await started(built("examples/bridge"), [join(folder, "profile"), join(root, "ui/dist")]);
  const { bridge: base = "", token = "" } = bridge.said;
  const outside = () => [sandbox.child, server.child].forEach(end);
  const world: World = {
    sandbox: address,
    relay: server.said.listening ?? "",
    bridge: base,
    token,
    async tell(path, body) {
      const answer = await fetch(`${address}/_sandbox/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    },
    async heal() {
      await fetch(`${address}/_sandbox/faults`, { method: "DELETE" });
    },
    async held() {
      return (await fetch(`${address}/_sandbox/state`)).text();
    },
    async call(name, argument = {}) {
      const answer = await fetch(`${base}/api/${name}`, { method: "POST", headers: { "x-shopbell-token": token }, body: JSON.stringify(argument) });
      const body = await answer.json();
      if (!answer.ok) throw Object.assign(new Error(`${name}: ${JSON.stringify(body)}`), body);
      return body;
    },
    until: (look) => following(base, token, look),
    unplug: outside,
    stop() {
      end(bridge.child);
      outside();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await world.until(async () => {
    const { vault } = await world.call("app_status");
    if (vault.state === "locked") throw new Error(`the vault is locked: ${vault.reason.code}`);
    return vault.state === "open";
  });
  return world;
}

function end(child: ChildProcess) {
  child.kill("SIGKILL");
}

/** The owner's browser: follows the sign-in to its end and returns the `shopbell:` address of the last page's button. */
export function signInElsewhere(address: string): string {
  const answer = spawnSync("node", [join(root, "tests/desktop/browser.mjs"), address, "--print"], { encoding: "utf8" });
  if (answer.status !== 0) throw new Error(answer.stderr);
  return answer.stdout.trim();
}
