// The owner's browser in the window tests: opens an address, follows redirects, ticks what is offered, presses the main button of each
// page, and hands `shopbell:` to the system like a real one (or prints it, with --print). It knows HTML, not our servers.
import { spawn } from "node:child_process";

const cookies = new Map();

/** One request with the cookies of its origin; redirects are followed by the caller. */
async function open(address, body) {
  const origin = new URL(address).origin;
  const jar = cookies.get(origin) ?? new Map();
  cookies.set(origin, jar);
  const answer = await fetch(address, {
    method: body ? "POST" : "GET",
    body,
    redirect: "manual",
    headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "), "accept-language": "en" },
  });
  for (const cookie of answer.headers.getSetCookie()) {
    const [pair] = cookie.split(";");
    const at = pair.indexOf("=");
    jar.set(pair.slice(0, at).trim(), pair.slice(at + 1));
  }
  return answer;
}

function unescape(text) {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&#x27;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function attribute(tag, name) {
  const match = tag.match(new RegExp(`\\s${name}(?:\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+)))?(?=[\\s/>])`, "i"));
  return match ? unescape(match[1] ?? match[2] ?? match[3] ?? "") : undefined;
}

/** What a person who ticks everything and presses the main button would send. */
function filled(form) {
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, "name");
    const type = (attribute(tag, "type") ?? "text").toLowerCase();
    if (!name || type === "submit") continue;
    if (type === "radio" && attribute(tag, "checked") === undefined) continue;
    fields.append(name, attribute(tag, "value") ?? (type === "checkbox" ? "on" : ""));
  }
  for (const [, tag, words] of form.matchAll(/(<button\b[^>]*>)([\s\S]*?)<\/button>/gi)) {
    const name = attribute(tag, "name");
    if (/cancel|not now|decline/i.test(words)) continue;
    if (name) fields.append(name, attribute(tag, "value") ?? "");
    break;
  }
  return fields;
}

let address = process.argv[2];
let body;
for (let step = 0; step < 30; step++) {
  const answer = await open(address, body);
  body = undefined;
  const location = answer.headers.get("location");
  if (location) {
    address = new URL(location, address).href;
    continue;
  }
  const page = await answer.text();
  const link = page.match(/<a\b[^>]*href\s*=\s*["'](shopbell:[^"']+|http:\/\/127\.0\.0\.1:\d+\/\?[^"']*)["']/i);
  if (link) {
    const target = unescape(link[1]);
    if (target.startsWith("shopbell:")) {
      if (process.argv.includes("--print")) console.log(target);
      else spawn("xdg-open", [target], { stdio: "inherit" });
      break;
    }
    address = target;
    continue;
  }
  const form = page.match(/<form\b[^>]*>[\s\S]*?<\/form>/i)?.[0];
  if (!form) {
    console.error(`no way on from a page of status ${answer.status}`);
    process.exit(1);
  }
  address = new URL(attribute(form.match(/<form\b[^>]*>/i)[0], "action") || address, address).href;
  body = filled(form);
}
