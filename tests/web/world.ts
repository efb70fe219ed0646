// One test file's world: sandbox, relay, and the core behind its bridge, on free ports and in a folder that goes away.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { test as base, type Page } from "@playwright/test";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const built = (name: string) => join(root, "target/debug", name);

/** Sandbox, relay and bridge. */
export interface World {
  sandbox: string;
  bridge: string;
  token: string;
  /** Tells the sandbox to do something. */
  tell(path: string, body: unknown): Promise<unknown>;
  /** Calls a use case past the interface. */
  call(name: string, argument?: unknown): Promise<any>;
  /** Sandbox and relay end: the network is gone. */
  unplug(): void;
  stop(): void;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Starts a server and waits for its line of JSON. */
async function started(program: string, words: string[], environment: Record<string, string> = {}) {
  const child = spawn(program, words, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, said: JSON.parse(line) as Record<string, string> };
  }
  throw new Error(`${program} ended without a word`);
}

/** The keychain of this run's session bus; once per run. It serves once its first process has ended, and ends with the bus. */
let unlocked = process.platform !== "linux";
function keys() {
  if (unlocked) return;
  const daemon = spawnSync("gnome-keyring-daemon", ["--daemonize", "--components=secrets", "--unlock"], { input: "a test's password", stdio: ["pipe", "ignore", "ignore"] });
  if (daemon.status !== 0) throw new Error("no keychain");
  unlocked = true;
}

export async function startWorld(size = "small"): Promise<World> {
  keys();
  const folder = mkdtempSync(join(tmpdir(), "shopbell-web-"));
  mkdirSync(join(folder, "profile"));
  const port = await freePort();
  const relay = `http://127.0.0.1:${port}`;
  const sandbox = await started(built("shopbell-sandbox"), ["--port", "0", "--seed", "kornblume", "--size", size]);
  const address = (sandbox.said.base_url ?? "").replace(/\/$/, "");
  const upstream = Object.fromEntries(
    ["graph.facebook.com", "graph.instagram.com", "api.instagram.com", "www.facebook.com", "www.instagram.com"].map((host) => {
      const [first, second] = host.split(".");
      return [`SHOPBELL_RELAY_UPSTREAM_${first?.toUpperCase()}_${second?.toUpperCase()}`, `${address}/${host}`];
    }),
  );
  const server = await started(built("shopbell-relay"), ["--port", String(port)], {
    SHOPBELL_RELAY_PUBLIC_URL: relay,
    SHOPBELL_RELAY_STORAGE: `sqlite:${join(folder, "relay.db")}`,
    SHOPBELL_RELAY_KEY_FILE: join(folder, "relay.key"),
    SHOPBELL_RELAY_VERIFY_TOKEN: "shopbell-verify",
    SHOPBELL_RELAY_FACEBOOK_APP_ID: "138000000000001",
    SHOPBELL_RELAY_FACEBOOK_APP_SECRET: "0123456789abcdef0123456789abcdef",
    SHOPBELL_RELAY_INSTAGRAM_APP_ID: "990000000000002",
    SHOPBELL_RELAY_INSTAGRAM_APP_SECRET: "fedcba9876543210fedcba9876543210",
    ...upstream,
  });
  writeFileSync(join(folder, "profile/endpoints.json"), JSON.stringify({ relay, sandbox: address }));
  const bridge = await started(built("examples/bridge"), [join(folder, "profile"), join(root, "ui/dist")]);
  const { bridge: base = "", token = "" } = bridge.said;
  const outside = () => [sandbox.child, server.child].forEach((child) => child.kill("SIGKILL"));
  return {
    sandbox: address,
    bridge: base,
    token,
    async tell(path, body) {
      const answer = await fetch(`${address}/_sandbox/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    async call(name, argument = {}) {
      const answer = await fetch(`${base}/api/${name}`, { method: "POST", headers: { "x-shopbell-token": token }, body: JSON.stringify(argument) });
      const body = await answer.json();
      if (!answer.ok) throw Object.assign(new Error(`${name}: ${body.code}`), body);
      return body;
    },
    unplug: outside,
    stop() {
      bridge.child.kill("SIGKILL");
      outside();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The owner's browser: follows the sign-in to its end and returns the `shopbell:` address of the last page's button. */
export function signInElsewhere(address: string): string {
  const answer = spawnSync("node", [join(root, "tests/desktop/browser.mjs"), address, "--print"], { encoding: "utf8" });
  if (answer.status !== 0) throw new Error(answer.stderr);
  return answer.stdout.trim();
}

/** Opens the interface on the bridge. */
export async function openShopbell(page: Page, world: World) {
  await page.goto(`${world.bridge}/#bridge=${world.token}`);
}

/** Tests with a world of their own per file. */
export const test = base.extend<object, { world: World }>({
  world: [
    async ({}, use) => {
      const world = await startWorld();
      await use(world);
      world.stop();
    },
    { scope: "worker" },
  ],
});
export { expect } from "@playwright/test";
