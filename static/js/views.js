// Views of the central table: how wide its columns are and which of them stay, the menu that lays it out, whether the
// view that is open was changed, and what its groups are worth. The address is the state: the list says in canonical
// form what it shows (`data-address`), and the bar what the opened view is (`data-opened`).
(function () {
  "use strict";
  const NARROWEST = 60;
  const WIDEST = 600;
  const KEY_STEP = 10;
  // Of what is seen at once, the columns that stay take no more than this; else there is nothing to scroll.
  const MOST_STICKY_SHARE = 0.6;
  // What lists and menus leave to the present address: the page may have been laid out anew since they were drawn.
  const KEPT = ["columns", "widths", "sticky", "density", "group", "folded", "view"];

  const list = () => document.getElementById("renewal-list");
  const table = () => document.querySelector("#renewal-list .g-table");
  const heads = () => [...table().tHead.rows[0].cells];
  const bar = () => document.getElementById("view-bar");
  if (!list() || !bar()) return;

  // What the page shows, as parameters: canonical, with the view as which it was opened
  function present() {
    const params = new URLSearchParams(list().dataset.address);
    const view = new URLSearchParams(location.search).get("view");
    if (view) params.set("view", view);
    return params;
  }

  const written = (params) => params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");

  function normal(text) {
    const params = new URLSearchParams(text);
    params.sort();
    return params.toString();
  }

  function showChanged() {
    const { opened } = bar().dataset;
    bar().toggleAttribute("data-is-changed", Boolean(opened) && normal(opened) !== normal(list().dataset.address));
  }

  // Widths and columns that stay: rules in a sheet of our own, because cells come anew with every edit.
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const ROW = ".g-table :is(thead tr, tbody tr[data-id])";

  function readWidths() {
    const pairs = (table().dataset.widths || "").split(",").filter(Boolean).map((pair) => pair.split(":"));
    return new Map(pairs.map(([name, width]) => [name, Number(width)]));
  }

  function writeWidths(widths) {
    table().dataset.widths = [...widths].sort().map(([name, width]) => `${name}:${width}`).join(",");
  }

  function widthRules() {
    const widths = readWidths();
    return heads().flatMap((head, place) => {
      const width = widths.get(head.dataset.name);
      if (!width) return [];
      const cell = `${ROW} > :nth-child(${place + 1})`;
      return [`${cell} { --width: ${width}px; width: ${width}px; min-width: ${width}px; max-width: ${width}px; }`, `${cell}:not(.is-open) { overflow: hidden; text-overflow: ellipsis; }`];
    });
  }

  function stickyRules() {
    const scroller = table().closest(".g-scroll");
    const rules = [];
    let left = 0;
    for (const [place, head] of heads().slice(0, Number(table().dataset.sticky)).entries()) {
      const width = head.getBoundingClientRect().width;
      if (place && left + width > scroller.clientWidth * MOST_STICKY_SHARE) break;
      const cell = `:nth-child(${place + 1})`;
      if (place) {
        // In a layer, so that a row's hover, selection or glow still colours the cell.
        rules.push(`@layer stay { .g-table tr > ${cell} { background: var(--p-surface); } }`);
        rules.push(`.g-table tbody tr[data-id] > ${cell} { position: sticky; left: ${left}px; border-right: 1px solid var(--p-line); }`);
        rules.push(`.g-table tbody tr[data-id] > ${cell}:not(.is-open) { z-index: 2; }`);
        rules.push(`.g-table thead tr > ${cell} { left: ${left}px; z-index: 4; border-right: 1px solid var(--p-line); }`);
      }
      left += width;
    }
    rules.push(`.g-scroll { scroll-padding-left: ${Math.round(left)}px; }`);
    return rules;
  }

  function layOut() {
    if (!table()) return;
    const on = (rules) => `@media screen and (min-width: 640px) { ${rules.join("\n")} }`;
    const widths = widthRules();
    sheet.replaceSync(on(widths));
    sheet.replaceSync(on([...widths, ...stickyRules()]));
  }

  // The columns' own widths follow what is in them: an edit, a font that came, a window that was resized.
  const watcher = new ResizeObserver(() => requestAnimationFrame(layOut));

  function watch() {
    watcher.disconnect();
    if (!table()) return;
    watcher.observe(table().closest(".g-scroll"));
    for (const head of heads().slice(0, Number(table().dataset.sticky))) watcher.observe(head);
  }

  // A head's right edge is dragged; with the keyboard, Alt and an arrow on the head do the same.
  const clamped = (width) => Math.round(Math.min(Math.max(width, NARROWEST), WIDEST));

  function setWidth(head, width) {
    const widths = readWidths();
    if (width === null) widths.delete(head.dataset.name);
    else widths.set(head.dataset.name, clamped(width));
    writeWidths(widths);
    layOut();
  }

  // The new widths go into the address. The list's own links get them as they are followed.
  function keepWidths() {
    const params = present();
    const { widths } = table().dataset;
    if (widths) params.set("widths", widths);
    else params.delete("widths");
    const page = new URLSearchParams(location.search).get("page");
    if (page) params.set("page", page);
    history.replaceState(history.state, "", `?${written(params)}`);
    params.delete("view");
    params.delete("page");
    list().dataset.address = written(params);
    showChanged();
  }

  function dressHeads() {
    for (const head of heads()) {
      if (head.querySelector(".v-edge")) continue;
      const edge = document.createElement("span");
      edge.className = "v-edge";
      edge.title = "Drag to make the column wider or narrower; double-click for its own width";
      head.append(edge);
    }
  }

  document.addEventListener("pointerdown", (event) => {
    const edge = event.target.closest?.(".v-edge");
    if (!edge || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    const head = edge.closest("th");
    const startX = event.clientX;
    const startWidth = head.getBoundingClientRect().width;
    let isMoved = false;
    edge.setPointerCapture(event.pointerId);
    const move = (moved) => {
      isMoved ||= Math.abs(moved.clientX - startX) > 2;
      if (isMoved) setWidth(head, startWidth + moved.clientX - startX);
    };
    const end = () => {
      edge.removeEventListener("pointermove", move);
      if (isMoved) keepWidths();
    };
    edge.addEventListener("pointermove", move);
    edge.addEventListener("lostpointercapture", end, { once: true });
  }, true);

  document.addEventListener("dblclick", (event) => {
    const head = event.target.closest?.(".v-edge")?.closest("th");
    if (!head) return;
    setWidth(head, null);
    keepWidths();
  });

  let keeping = 0;
  document.addEventListener("keydown", (event) => {
    const head = event.target.closest?.(".g-table thead th");
    if (!head || !event.altKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
    event.preventDefault();
    event.stopPropagation();
    setWidth(head, head.getBoundingClientRect().width + (event.key === "ArrowRight" ? KEY_STEP : -KEY_STEP));
    clearTimeout(keeping);
    keeping = setTimeout(keepWidths, 500);
  }, true);

  // Requests that are about what is seen now
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt } = event.detail;
    if (elt.matches("#renewal-list a") && table()) {
      const [path, query] = event.detail.path.split("?");
      const params = new URLSearchParams(query);
      params.delete("widths");
      if (table().dataset.widths) params.set("widths", table().dataset.widths);
      event.detail.path = `${path}?${written(params)}`;
    }
    if (elt.matches(".v-layout .p-menu") && !elt.closest("details").open) event.preventDefault();
    if (!elt.matches("[data-with-address]")) return;
    if (event.detail.verb === "get") event.detail.path = `${event.detail.path.split("?")[0]}?${written(present())}`;
    else event.detail.parameters.address = list().dataset.address;
  });

  // Links and forms of the filters were drawn with the page: they keep how it is laid out now.
  function layLike(params) {
    const now = present();
    for (const name of KEPT) {
      if (now.has(name)) params.set(name, now.get(name));
      else params.delete(name);
    }
    return params;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".p-filters a[href^='?']:not(.v-display a)");
    if (link) link.search = `?${written(layLike(new URLSearchParams(link.search)))}`;
  }, true);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".v-display")) {
      event.preventDefault();
      event.stopPropagation();
      location.assign(`${form.getAttribute("action")}?${written(addressOf(form))}`);
    } else if (form.closest(".p-filters") && form.method === "get") {
      for (const input of form.querySelectorAll("input[type=hidden]")) {
        if (KEPT.includes(input.name)) input.remove();
      }
      for (const [name, value] of layLike(new URLSearchParams())) {
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      }
    }
  }, true);

  // The menu that lays the table out
  function addressOf(form) {
    const params = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (name !== "columns" && value) params.append(name, value);
    }
    const items = [...form.querySelectorAll(".v-columns li")];
    const columns = items.filter((item) => item.querySelector("[type=checkbox]").checked).map((item) => item.dataset.column);
    if (columns.join() !== form.dataset.defaultColumns) params.set("columns", columns.join());
    const widths = items.map((item) => [item.dataset.column, item.querySelector(".v-width").value]).filter(([, width]) => width);
    if (widths.length) params.set("widths", widths.map(([name, width]) => `${name}:${clamped(Number(width))}`).join());
    for (const [name, usual] of [["sticky", "1"], ["density", "comfortable"]]) {
      if (params.get(name) === usual) params.delete(name);
    }
    if (!params.toString()) params.set("outcome", "all");
    return params;
  }

  function moveItem(item, step) {
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other || "isFixed" in other.dataset) return;
    other[step < 0 ? "before" : "after"](item);
    const place = [...item.parentElement.children].indexOf(item) + 1;
    item.closest("form").querySelector("[data-moved]").textContent = `${item.querySelector("label").textContent.trim()} is column ${place}`;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".v-columns [data-moves]");
    if (!button) return;
    moveItem(button.closest("li"), Number(button.dataset.moves));
    button.focus();
  });

  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".v-columns li[draggable]") || null;
    dragged?.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = dragged && event.target.closest?.(".v-columns li[draggable]");
    if (!over || over === dragged) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
  });
  document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
  });

  // How many rows the groups have and what they are worth comes once for the whole set, to the heads that are on the page.
  function showSubtotals() {
    const found = new Map([...document.querySelectorAll("#subtotals [data-subtotal]")].map((one) => [one.dataset.subtotal, one]));
    if (!found.size) return;
    for (const slot of document.querySelectorAll("[data-subtotal-slot]")) {
      const one = found.get(slot.dataset.subtotalSlot);
      slot.replaceChildren(...(one ? [...one.cloneNode(true).childNodes] : []));
      slot.parentElement.querySelector(".v-count").textContent = one?.dataset.count || "";
      slot.removeAttribute("aria-busy");
    }
  }

  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (event.detail.target?.id !== "subtotals") return;
      for (const slot of document.querySelectorAll("[data-subtotal-slot][aria-busy]")) slot.textContent = "Not available";
    });
  }

  function dress() {
    if (table()) dressHeads();
    layOut();
    watch();
    showChanged();
    showSubtotals();
    // Folded rows are on no page: how many pages there are is known on the last one only.
    const pages = document.querySelector(".g-pager [data-page-slot]");
    if (pages && new URLSearchParams(list().dataset.address).has("folded")) pages.textContent = "";
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    // Saved from the dialog that had said who was faster
    if (event.detail.target?.id === "view-bar") document.getElementById("shell-dialog").close();
    dress();
  });
  document.fonts?.ready.then(layOut);
  dress();
})();
