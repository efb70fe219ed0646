import { fileURLToPath } from "node:url";
import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** `vite --mode fake` swaps the way to the core for an in-memory one that lives with the tests and never ships. */
export default defineConfig(({ mode }) => ({
  plugins: [
    paraglideVitePlugin({
      project: "./project.inlang",
      outdir: "./src/paraglide",
      strategy: ["globalVariable", "baseLocale"],
      outputStructure: "locale-modules",
      emitReadme: false,
    }),
    tailwindcss(),
    svelte(),
  ],
  resolve: {
    alias: [
      ...(mode === "fake" ? [{ find: "@/backend/connect", replacement: here("./tests/fake/connect.ts") }] : []),
      { find: /^@\//, replacement: `${here("./src")}/` },
    ],
    ...(mode === "test" ? { conditions: ["browser"] } : {}),
  },
  clearScreen: false,
  server: {
    port: 5173,
    strictPort: true,
    host: "127.0.0.1",
    // The tests of words read the contract itself.
    fs: { allow: mode === "test" ? [".."] : ["."] },
  },
  build: {
    target: ["es2022", "safari16", "chrome111"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts", "tests/unit/**/*.test.ts"],
  },
}));
