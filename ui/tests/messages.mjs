/* Every catalogue has the same messages with the same holes to fill, in every language, and nothing is said twice. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "messages");
const locales = ["en", "de", "ar"];
const faults = [];

const holes = (message) => {
  const text =
    typeof message === "string" ? message : JSON.stringify(message.flatMap((one) => Object.values(one.match)));
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))].sort().join(",");
};

const seen = new Map();
for (const file of readdirSync(join(root, "en"))) {
  const catalogues = Object.fromEntries(locales.map((l) => [l, JSON.parse(readFileSync(join(root, l, file), "utf8"))]));
  const keys = new Set(locales.flatMap((locale) => Object.keys(catalogues[locale])));
  keys.delete("$schema");
  for (const key of keys) {
    if (seen.has(key) && seen.get(key) !== file) faults.push(`${key}: in ${seen.get(key)} and in ${file}`);
    seen.set(key, file);
    for (const locale of locales) {
      const message = catalogues[locale][key];
      if (message === undefined || message === "") faults.push(`${locale}/${file}: ${key} is missing`);
      else if (catalogues.en[key] !== undefined && holes(message) !== holes(catalogues.en[key])) {
        faults.push(`${locale}/${file}: ${key} has {${holes(message)}} instead of {${holes(catalogues.en[key])}}`);
      }
    }
  }
}
for (const file of locales.slice(1).flatMap((l) => readdirSync(join(root, l)))) {
  if (!readdirSync(join(root, "en")).includes(file)) faults.push(`${file} has no English`);
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`${seen.size} messages in ${locales.length} languages`);
