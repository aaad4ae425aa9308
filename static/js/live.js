// What others change appears in the open table, marked, and nothing moves: rows stay where they are, cells are set anew
// one by one around the focus and around what is being typed. State is in the DOM, but for the versions that were told.
(function () {
  "use strict";
  const EVERY_MS = 2000;
  const SLOWEST_MS = 30000;
  const MOST_ROWS = 200;
  const LOOKS_PER_COUNT = 5; // how often new rows are counted
  const TOTALS_MS = 30000;
  const SAYING_MS = 10000;
  const GLOW_MS = 5000;
  const BADGE_MS = 60000;
  const KEPT = ".g-editor, .b-check, .l-by"; // in a cell, and not from the server
  const SENT = ["title", "data-value", "data-ordered-on", "data-contributions", "data-score", "data-completeness", "aria-readonly"];
  const place = document.getElementById("live");
  if (!place) return;
  const said = place.querySelector("[data-said]");
  const away = place.querySelector("[data-away]");
  const newer = place.querySelector("[data-newer]");

  const tableNow = () => document.querySelector(".g-table");
  const rowOf = (id) => document.getElementById(`renewal-${id}`);
  const eventOf = (version) => Number(version.split("-")[0]);

  // What the server last told of each row of a table. An answer to one's own save may carry a colleague's change with it,
  // so the version in the row is not asked about again: this one is.
  const told = new WeakMap();

  function stateOf(table) {
    if (!told.has(table)) {
      told.set(table, { versions: new Map(), since: "" });
      showNewer(0);
    }
    const state = told.get(table);
    for (const row of table.querySelectorAll("tr[data-id]")) {
      if (!state.versions.has(row.dataset.id)) state.versions.set(row.dataset.id, row.dataset.version);
    }
    return state;
  }

  // Asking
  let timer = 0;
  let looks = 0;
  let failures = 0;
  let isLooking = false;

  function later() {
    clearTimeout(timer);
    if (document.hidden) return;
    const pause = Math.min(EVERY_MS * 2 ** failures, SLOWEST_MS);
    timer = setTimeout(look, pause * (0.9 + Math.random() / 5)); // many tabs do not ask at once
  }

  async function look() {
    const table = tableNow();
    if (!table || isLooking) return later();
    isLooking = true;
    const state = stateOf(table);
    const isCounting = looks % LOOKS_PER_COUNT === 0 || state.since === "";
    looks += 1;
    try {
      const answer = await ask(state, isCounting);
      failures = 0;
      away.hidden = true;
      if (table.isConnected) show(state, answer, isCounting);
    } catch (problem) {
      failures += 1;
      away.hidden = false;
      away.textContent = problem.isFinal ? problem.message : "Offline, retrying";
      if (problem.isFinal) return undefined;
    } finally {
      isLooking = false;
    }
    return later();
  }

  // The rows on the screen and around it; the others are asked about when they come near.
  function rowsNearby() {
    const rows = [...tableNow().querySelectorAll("tr[data-id]")];
    const top = rows.length > MOST_ROWS ? rows.findIndex((row) => row.getBoundingClientRect().bottom > 0) : 0;
    const first = Math.max(0, Math.min(top - MOST_ROWS / 4, rows.length - MOST_ROWS));
    return rows.slice(first, first + MOST_ROWS).map((row) => row.dataset.id);
  }

  async function ask({ versions, since }, isCounting) {
    const params = new URLSearchParams(location.search);
    const seen = rowsNearby().filter((id) => versions.get(id));
    params.set("seen", seen.map((id) => `${id}-${versions.get(id)}`).join("."));
    if (isCounting) params.set("since", since);
    const response = await fetch(`${place.dataset.url}?${params}`, { signal: AbortSignal.timeout(10000) });
    if (response.redirected || [400, 401, 403, 404].includes(response.status)) {
      throw Object.assign(new Error("Others' changes no longer appear: reload the page"), { isFinal: true });
    }
    if (!response.ok) throw new Error(response.statusText);
    return response.status === 204 ? {} : response.json();
  }

  // Showing
  function show(state, answer, isCounting) {
    const { rows = "", edits = {}, unmatched = [], gone = [] } = answer;
    const made = new DOMParser().parseFromString(`<table>${rows}</table>`, "text/html");
    for (const row of made.querySelectorAll("tr[data-id]")) {
      const { id, version } = row.dataset;
      state.versions.set(id, version);
      const present = rowOf(id);
      // An answer to a save may have overtaken this one.
      if (!present || eventOf(version) < eventOf(present.dataset.version)) continue;
      refresh(present, row, edits[id], unmatched.includes(Number(id)));
    }
    for (const id of gone) {
      state.versions.set(String(id), null);
      const row = rowOf(id);
      row?.classList.add("is-unmatched");
      if (row) label(row, "No longer in your view", "It was removed, or handed to somebody whose rows you do not see.");
    }
    if ("since" in answer) state.since = String(answer.since);
    if (isCounting) showNewer(answer.new || 0);
    if (rows) refreshTotals();
    announce(Object.values(edits).map((edit) => edit.by));
  }

  function refresh(row, made, edit, isUnmatched) {
    if (row.cells.length !== made.cells.length) return; // other columns by now: the list was read anew
    row.dataset.version = made.dataset.version;
    const changed = [...row.cells].filter((cell, place) => replace(cell, made.cells[place]));
    row.classList.toggle("is-unmatched", isUnmatched);
    const at = edit && new Date(edit.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const who = edit ? `Changed by ${edit.by} at ${at}.` : "";
    if (isUnmatched) label(row, "No longer matches", `${who} The filter no longer lets it through.`.trim());
    else if (edit) label(row, `${edit.by.split(" ")[0]}, just now`, who);
    if (!edit) return;
    for (const cell of changed) {
      if (!cell.classList.contains("g-edit")) continue; // what is computed follows from what was written
      cell.classList.add("l-changed");
      if (!cell.title) cell.title = `${edit.by} at ${at}`;
    }
    glow(row);
  }

  // Sets a cell as the server made it, around the focus, an open editor and the row's box. True where it was different.
  function replace(cell, made) {
    const own = [...cell.childNodes].filter((node) => !node.matches?.(KEPT));
    const isSame = markup(own) === markup([...made.childNodes]);
    const isChanged = !isSame || cell.dataset.value !== made.dataset.value;
    if (isChanged) cell.classList.remove("l-changed");
    for (const name of SENT) {
      if (name === "title" && cell.matches(".l-changed")) continue; // it says who
      if (made.hasAttribute(name)) cell.setAttribute(name, made.getAttribute(name));
      else cell.removeAttribute(name);
    }
    if (isSame) return isChanged;
    const after = cell.querySelector(":scope > .g-editor, :scope > .l-by");
    for (const node of own) node.remove();
    for (const node of [...made.childNodes]) cell.insertBefore(node, after);
    htmx.process(cell);
    return true;
  }

  const markup = (nodes) => nodes.map((node) => node.outerHTML ?? node.textContent).join("");

  function label(row, text, title) {
    row.cells[0].querySelector(".l-by")?.remove();
    const badge = document.createElement("span");
    badge.className = "l-by";
    badge.textContent = text;
    badge.title = title;
    row.cells[0].append(badge);
    if (!row.matches(".is-unmatched")) setTimeout(() => badge.remove(), BADGE_MS);
  }

  function glow(row) {
    row.classList.remove("is-changed");
    void row.offsetWidth; // so that it begins anew
    row.classList.add("is-changed");
    setTimeout(() => row.classList.remove("is-changed"), GLOW_MS);
  }

  // Saying it once for all rows, and not every two seconds
  let unsaid = [];
  let lastSaid = -SAYING_MS;

  function announce(names) {
    unsaid.push(...names);
    if (!unsaid.length || performance.now() - lastSaid < SAYING_MS) return;
    const by = new Set(unsaid).size === 1 ? unsaid[0] : "others";
    said.textContent = `${unsaid.length} ${unsaid.length === 1 ? "row" : "rows"} changed by ${by}`;
    unsaid = [];
    lastSaid = performance.now();
  }

  // They are a pass over the whole filtered set: not for each change of each colleague.
  let totalsTimer = 0;

  function refreshTotals() {
    if (totalsTimer) return;
    totalsTimer = setTimeout(() => {
      totalsTimer = 0;
      document.body.dispatchEvent(new CustomEvent("renewals:changed", { detail: { ids: [] }, bubbles: true }));
    }, TOTALS_MS);
  }

  function showNewer(count) {
    newer.hidden = !count;
    const number = count >= Number(place.dataset.most) ? `${count}+` : count;
    newer.querySelector("[data-text]").textContent = `${number} new ${count === 1 ? "renewal matches" : "renewals match"}: show`;
  }

  newer.addEventListener("click", () => {
    const list = document.getElementById("renewal-list");
    htmx.ajax("GET", location.pathname + location.search, { source: list, target: list, swap: "outerHTML" });
  });

  // A conflict that is answered with a third value: what is compared when it is sent is theirs already.
  document.addEventListener("click", (event) => {
    const form = event.target.closest?.("[data-edits]")?.closest(".g-editor");
    if (!form) return;
    form.classList.remove("has-conflict");
    form.querySelector(".g-note").remove();
    const input = form.querySelector("[role=combobox], [name=value]:not([type=hidden])");
    input.focus();
    input.select?.();
  });

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) look();
  });
  look();
})();
