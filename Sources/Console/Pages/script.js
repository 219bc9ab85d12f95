"use strict";
// Live parts are fetched again when the gateway says that something changed; an outcome can be taken back for ten seconds; a chart tells its
// numbers under a finger. The page works without this script.
(() => {
  const live = () => document.querySelectorAll("[data-live]");
  const offline = document.getElementById("offline");
  let waiting = null, lostAt = 0, source = null;
  // A part in which somebody has typed or chosen something stays as it is.
  const touched = part => part.querySelector(".soon") || [...part.querySelectorAll("input,textarea,select")].some(field =>
    field === document.activeElement || (field.type === "radio" ? field.checked : field.type !== "hidden" && field.value !== field.defaultValue && field.tagName !== "SELECT"));
  async function refresh() {
    waiting = null;
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of live()) {
        const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
        if (!fresh || fresh.innerHTML === old.innerHTML || touched(old)) continue;
        const held = old.contains(document.activeElement) ? document.activeElement : null;
        const again = held && (held.getAttribute("href") ? `a[href="${CSS.escape(held.getAttribute("href"))}"]` : held.value ? `${held.tagName}[value="${CSS.escape(held.value)}"]` : null);
        old.replaceChildren(...fresh.childNodes);
        old.className = fresh.className;
        if (again) old.querySelector(again)?.focus();
      }
      const time = page.querySelector("header time"), shown = document.querySelector("header time");
      if (time && shown) shown.textContent = time.textContent;
    } catch { /* the next event tries again */ }
  }
  const soon = () => { waiting ??= setTimeout(refresh, 700); };
  function listen() {
    source = new EventSource("/api/v1/events");
    for (const name of ["home", "case", "elevator", "finding"]) source.addEventListener(name, soon);
    source.onopen = () => { if (lostAt) soon(); lostAt = 0; offline.hidden = true; };
    source.onerror = () => { lostAt ||= Date.now(); };
  }
  if (live().length && !location.pathname.startsWith("/l/")) {
    listen();
    setInterval(() => {
      // A browser gives up for good on an answer that is no stream, such as a proxy's while the gateway starts again.
      if (source.readyState === EventSource.CLOSED) listen();
      if (lostAt && Date.now() - lostAt > 10000) offline.hidden = false;
    }, 3000);
    setInterval(soon, 30000);
    document.addEventListener("visibilitychange", soon);
  }

  // An outcome is sent after ten seconds; leaving the page or switching the phone off sends it at once.
  document.addEventListener("submit", event => {
    const form = event.target;
    if (!form.dataset.undo || form.dataset.sure) return;
    event.preventDefault();
    if (form.querySelector(".soon")) return;
    const bar = document.createElement("p"), undo = document.createElement("button");
    bar.className = "soon";
    bar.setAttribute("role", "status");
    bar.textContent = form.dataset.soon + " ";
    undo.type = "button";
    undo.textContent = form.dataset.undo;
    bar.append(undo);
    form.append(bar);
    const send = () => { stop(); form.dataset.sure = "1"; form.requestSubmit(); };
    const leave = () => { if (document.visibilityState === "hidden") { stop(); fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true }); } };
    const timer = setTimeout(send, 10000);
    const stop = () => { clearTimeout(timer); removeEventListener("pagehide", leave); document.removeEventListener("visibilitychange", leave); bar.remove(); };
    addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", leave);
    undo.addEventListener("click", stop);
    undo.focus();
  });

  // A chart's hour in words, under a finger or a pointer.
  for (const kind of ["pointerover", "pointerdown"]) document.addEventListener(kind, event => {
    const bar = event.target.closest?.("[data-detail]");
    if (!bar) return;
    document.querySelectorAll(".touch.on").forEach(one => one.classList.remove("on"));
    bar.classList.add("on");
    bar.closest("figure").querySelector("output").textContent = bar.dataset.detail;
  });
})();
