// Enhancement only: everything works without it. Copies the code and says until when it works in local time.
const copy = document.getElementById("copy-code");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("code").textContent);
    copy.lastElementChild.textContent = copy.dataset.done;
  });
}
const until = document.getElementById("until");
if (until) {
  const time = new Date(Number(until.dataset.ms)).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  until.textContent = until.dataset.text.replace("{t}", time);
}
