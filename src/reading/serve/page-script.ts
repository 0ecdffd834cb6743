// What makes the pages better where scripts run: they stay fresh, and can be used by the keyboard. Without it
// everything is still there.

/** The script, served by the pages' own address. */
export const PAGE_SCRIPT = `"use strict";
const EVERY_MS = 30000;
async function refresh() {
  const field = document.activeElement;
  const busy = document.hidden || (field && /^(INPUT|SELECT|TEXTAREA)$/.test(field.tagName));
  if (busy || getSelection().toString() !== "") return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["main", "footer"]) {
      const here = document.querySelector(part);
      const there = page.querySelector(part);
      if (here && there && here.innerHTML !== there.innerHTML) here.replaceChildren(...there.childNodes);
    }
  } catch { /* The next time. */ }
}
if (location.pathname === "/" || location.pathname.startsWith("/bug/")) setInterval(refresh, EVERY_MS);
function rows() { return [...document.querySelectorAll("tbody th a")]; }
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const links = rows();
  const at = links.indexOf(document.activeElement);
  if (event.key === "/") document.getElementById("q").focus();
  else if (event.key === "j" && links.length > 0) links[Math.min(at + 1, links.length - 1)].focus();
  else if (event.key === "k" && links.length > 0) links[Math.max(at - 1, 0)].focus();
  else return;
  event.preventDefault();
});
for (const select of document.querySelectorAll(".filters select"))
  select.addEventListener("change", () => select.form.requestSubmit());
`;
