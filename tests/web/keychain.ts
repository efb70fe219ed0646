// The keychain of this run's session bus; once per run. It serves once its first process has ended, and ends with the bus.
import { spawnSync } from "node:child_process";

export default function unlockKeychain() {
  if (process.platform !== "linux") return;
  const daemon = spawnSync("gnome-keyring-daemon", ["--daemonize", "--components=secrets", "--unlock"], { input: "a test's password", stdio: ["pipe", "ignore", "ignore"] });
  if (daemon.status !== 0) throw new Error("no keychain");
}
