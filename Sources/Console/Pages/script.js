"use strict";
// Live parts are fetched again when the gateway says that something changed; the page works without this script.
(() => {
  const live = () => document.querySelectorAll("[data-live]");
  if (!live().length) return;
  const offline = document.getElementById("offline");
  let waiting = null, lostAt = 0;
  const busy = () => document.activeElement && document.activeElement.closest("form") && document.activeElement.matches("input,textarea,select");
  async function refresh() {
    waiting = null;
    if (busy() || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of live()) {
        const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
        if (fresh && fresh.innerHTML !== old.innerHTML) { old.replaceChildren(...fresh.childNodes); old.className = fresh.className; }
      }
      const time = page.querySelector("header time"), shown = document.querySelector("header time");
      if (time && shown) shown.textContent = time.textContent;
    } catch { /* the next event tries again */ }
  }
  const soon = () => { waiting ??= setTimeout(refresh, 700); };
  const source = new EventSource("/api/v1/events");
  for (const name of ["home", "case", "elevator", "finding"]) source.addEventListener(name, soon);
  source.onopen = () => { if (lostAt) soon(); lostAt = 0; offline.hidden = true; };
  source.onerror = () => { lostAt ||= Date.now(); };
  setInterval(() => { if (lostAt && Date.now() - lostAt > 10000) offline.hidden = false; }, 2000);
  setInterval(soon, 30000);
  document.addEventListener("visibilitychange", soon);
})();
