// The central table: moving between cells, opening and saving them, what a risk score is made of, and what waits for the
// totals. State is in the DOM: the one cell with tabindex 0 is where the focus is or returns to, an open cell holds its
// form, and what a cell held when it was opened travels in the form as `was`.
(function () {
  "use strict";
  const PAGE_STEP = 10;
  const ROWS_ONE_BY_ONE = 5;
  const PHONE = matchMedia("(max-width: 639.98px)");
  const CELL = ".g-table tbody > tr > *";
  const NOT_SAVED = "Not saved. Your value is still here; press Enter to try again.";

  const table = () => document.querySelector(".g-table");
  const rowOf = (id) => document.getElementById(`renewal-${id}`);
  const headOf = (cell) => table().tHead.rows[0].cells[cell.cellIndex];
  const nameOf = (cell) => headOf(cell).dataset.name;
  const isEditable = (cell) => cell.dataset.value !== undefined;
  const formIn = (cell) => cell.querySelector(":scope > .g-editor");
  const inputOf = (form) => form.querySelector("[role=combobox], [name=value]:not([type=hidden])");

  // Where the focus is. The table is one stop for Tab; arrows move inside, up into the heads with their sort links.
  const stopOf = (cell) => (cell.closest("thead") ? cell.querySelector("a") : cell);

  function makeCurrent(cell) {
    for (const old of table().querySelectorAll("[tabindex='0']")) old.tabIndex = -1;
    stopOf(cell).tabIndex = 0;
  }

  function moveTo(cell) {
    if (!cell) return;
    makeCurrent(cell);
    stopOf(cell).focus();
  }

  function cellAt(rowIndex, columnIndex) {
    const rows = table().rows;
    const row = rows[Math.min(Math.max(rowIndex, 0), rows.length - 1)];
    return row.cells[Math.min(Math.max(columnIndex, 0), row.cells.length - 1)];
  }

  const neighbour = (cell, down, right) => cellAt(cell.parentElement.rowIndex + down, cell.cellIndex + right);

  function targetOf(event, cell) {
    const row = cell.parentElement.rowIndex;
    const isFar = event.ctrlKey || event.metaKey;
    switch (event.key) {
      case "ArrowUp": return neighbour(cell, -1, 0);
      case "ArrowDown": return neighbour(cell, 1, 0);
      case "ArrowLeft": return neighbour(cell, 0, -1);
      case "ArrowRight": return neighbour(cell, 0, 1);
      case "Home": return cellAt(isFar ? 1 : row, 0);
      case "End": return cellAt(isFar ? Infinity : row, Infinity);
      case "PageUp": return cellAt(Math.max(row - PAGE_STEP, 1), cell.cellIndex);
      case "PageDown": return cellAt(row + PAGE_STEP, cell.cellIndex);
    }
    return null;
  }

  function gridKey(event, cell) {
    const target = event.altKey ? null : targetOf(event, cell);
    if (target) {
      event.preventDefault();
      moveTo(target);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || cell.closest("thead")) return;
    if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      open(cell, { selects: event.key === "Enter" });
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      open(cell, { typed: "" });
    } else if (event.key.length === 1 && !"/? ".includes(event.key)) {
      event.preventDefault();
      open(cell, { typed: event.key });
    } else if (event.key === "Escape") {
      hideRisk();
    }
  }

  // Opening and leaving a cell
  function open(cell, { typed = null, selects = true } = {}) {
    if (formIn(cell)) return;
    if (!isEditable(cell)) {
      const why = headOf(cell).dataset.why || cell.title;
      if (why) perennial.toast({ text: `${headOf(cell).dataset.label}: ${why}` });
      return;
    }
    makeCurrent(cell);
    const name = nameOf(cell);
    const pattern = document.querySelector(`template[data-pattern="${name}"]`);
    if (!pattern) {
      perennial.toast({ text: "The editors are still loading. Try again in a moment." });
      return;
    }
    const form = pattern.content.firstElementChild.cloneNode(true);
    const row = cell.parentElement;
    form.setAttribute("action", `${table().dataset.url}${row.dataset.id}/${name}/`);
    form.elements.was.value = cell.dataset.value;
    fill(form, cell);
    cell.append(form);
    cell.classList.add("is-open");
    const input = inputOf(form);
    input.setAttribute("aria-label", `${headOf(cell).dataset.label} of ${row.dataset.account}`);
    input.focus();
    if (typed === null) {
      if (selects) input.select?.();
    } else {
      startTyping(form, input, typed);
    }
    if (input.dataset.choices) listChoices(form, typed || "");
  }

  function fill(form, cell) {
    const { elements } = form;
    if (form.dataset.field === "outcome") {
      const [outcome, reason, amount] = cell.dataset.value.split("/");
      elements.value.value = outcome;
      elements.churn_reason.value = reason;
      elements.final_amount.value = outcome === "renewed" ? amount : "";
      elements.ordered_on.value = cell.dataset.orderedOn;
    } else {
      elements.value.value = cell.dataset.value;
      if (elements.label) elements.label.value = cell.textContent.trim();
    }
  }

  function startTyping(form, input, typed) {
    if (input.tagName === "SELECT") {
      const wanted = [...input.options].find((option) => option.text.toLowerCase().startsWith(typed.toLowerCase()));
      if (typed && wanted) input.value = wanted.value;
    } else if (input.type !== "date" || !typed) {
      input.value = typed;
      if (input.dataset.choices) form.elements.value.value = typed;
    }
  }

  function close(form, takesFocus) {
    const cell = form.closest("td");
    cell.classList.remove("is-open", "is-saving");
    form.remove();
    if (takesFocus) moveTo(cell);
  }

  function isChanged(form) {
    const { elements } = form;
    if (form.dataset.field !== "outcome") return elements.value.value.trim() !== elements.was.value.trim();
    const [outcome, reason, amount] = elements.was.value.split("/");
    const ordered = form.closest("td").dataset.orderedOn;
    if (elements.value.value !== outcome) return true;
    if (outcome === "lost") return elements.churn_reason.value !== reason;
    return outcome === "renewed" && (elements.final_amount.value !== amount || elements.ordered_on.value !== ordered);
  }

  // Saving. The focus moves on at once; the requests of a row go out one after the other, so that no answer is older
  // than the one before it.
  const queues = new Map();
  const answering = new Map();

  function save(form, move) {
    if ("saving" in form.dataset) return;
    const cell = form.closest("td");
    const next = move && neighbour(cell, move.down, move.right);
    if (!isChanged(form) && !form.matches(".has-conflict")) {
      close(form, false);
      moveTo(next || cell);
      return;
    }
    const { id } = form.closest("tr").dataset;
    form.dataset.saving = "";
    cell.classList.add("is-saving");
    say(form, "");
    form.querySelector(".g-options")?.replaceChildren();
    if (next) moveTo(next);
    const after = (queues.get(id) || Promise.resolve()).then(() => settleChoice(form)).then(() => post(form, id));
    queues.set(id, after);
    after.finally(() => { if (queues.get(id) === after) queues.delete(id); });
  }

  async function post(form, id) {
    const values = Object.fromEntries(new FormData(form));
    const row = rowOf(id);
    answering.set(id, form);
    const where = row ? { source: row, target: row, swap: "outerHTML" } : { source: document.body, swap: "none" };
    try {
      await htmx.ajax("POST", form.getAttribute("action"), { ...where, values });
    } catch {
      // The network failed; what is below says so in the cell.
    }
    answering.delete(id);
    if (!form.isConnected) return;
    delete form.dataset.saving;
    form.closest("td").classList.remove("is-saving");
    say(form, NOT_SAVED);
    if (!document.activeElement?.closest(".g-editor")) inputOf(form).focus();
  }

  function say(form, text) {
    const note = form.querySelector("p.g-note");
    if (!note) return;
    note.textContent = text;
    note.hidden = !text;
    form.classList.toggle("has-error", Boolean(text));
    inputOf(form).toggleAttribute("aria-invalid", Boolean(text));
  }

  // A row is answered with the columns that this page shows.
  document.addEventListener("htmx:configRequest", (event) => {
    if (table()) event.detail.headers["X-Columns"] = table().dataset.columns;
  });

  // A row that is swapped keeps the cells that were opened in it meanwhile, and the focus.
  let kept = null;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target;
    if (!event.detail.shouldSwap || !row?.matches?.(".g-table tbody > tr")) return;
    const focused = document.activeElement;
    const forms = [...row.querySelectorAll(".g-editor")].filter((form) => form !== answering.get(row.dataset.id));
    kept = {
      forms: forms.map((form) => [form, form.closest("td").cellIndex]),
      focused: focused?.closest(".g-editor") ? focused : null,
      column: row.contains(focused) ? focused.closest("td, th").cellIndex : -1,
      current: [...row.cells].findIndex((cell) => cell.tabIndex === 0),
    };
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (kept) {
      const row = event.detail.elt?.matches?.("tr[data-id]") ? event.detail.elt : null;
      restore(rowOf((row || event.detail.target).dataset.id), kept);
      kept = null;
    }
    dress();
  });

  function restore(row, { forms, focused, column, current }) {
    for (const [form, index] of forms) {
      row.cells[index].append(form);
      row.cells[index].classList.add("is-open");
      row.cells[index].classList.toggle("is-saving", "saving" in form.dataset);
    }
    for (const form of row.querySelectorAll(".g-editor")) form.closest("td").classList.add("is-open");
    if (current >= 0) makeCurrent(row.cells[current]);
    const answered = row.querySelector(".has-error, .has-conflict");
    if (focused?.isConnected) {
      focused.focus();
    } else if (answered) {
      makeCurrent(answered.closest("td"));
      inputOf(answered).focus();
    } else if (column >= 0) {
      moveTo(row.cells[column]);
    }
  }

  // Rows that changed by other ways than their own cells (undo, bulk edit) are read again: those in question, or the list.
  document.addEventListener("renewals:changed", (event) => {
    const { ids = [], is_all: isAll = false } = event.detail;
    const list = document.getElementById("renewal-list");
    const rows = ids.map(rowOf).filter(Boolean);
    if ((isAll || rows.length > ROWS_ONE_BY_ONE) && !list.querySelector(".g-editor")) {
      htmx.ajax("GET", location.pathname + location.search, { source: list, target: list, swap: "outerHTML" });
      return;
    }
    for (const row of rows) {
      htmx.ajax("GET", `${table().dataset.url}${row.dataset.id}/`, { source: row, target: row, swap: "outerHTML" });
    }
  });

  // Searched choices: a combobox whose list comes from the server.
  const lists = new WeakMap();
  let waiting = 0;

  function listChoices(form, text) {
    const input = inputOf(form);
    const list = form.querySelector(".g-options");
    const url = `${input.dataset.choices}?q=${encodeURIComponent(text)}`;
    const shown = htmx.ajax("GET", url, { source: list, target: list, swap: "innerHTML" }).then(() => {
      list.hidden = "saving" in form.dataset;
      input.setAttribute("aria-expanded", String(!list.hidden));
      if (text) point(form, list.querySelector("[data-value]"));
    }, () => {});
    lists.set(form, shown);
  }

  function point(form, option) {
    for (const other of form.querySelectorAll("[role=option]")) other.setAttribute("aria-selected", String(other === option));
    if (option) inputOf(form).setAttribute("aria-activedescendant", option.id);
    option?.scrollIntoView({ block: "nearest" });
  }

  function choose(form, option) {
    form.elements.value.value = option.dataset.value;
    form.elements.label.value = option.dataset.label;
  }

  const pointed = (form) => form.querySelector("[role=option][aria-selected=true][data-value]");

  // Enter came before the list: wait for it and take what it would have pointed at.
  async function settleChoice(form) {
    const { value, label } = form.elements;
    if (!label || value.value === "" || value.value !== label.value) return;
    clearTimeout(waiting);
    listChoices(form, label.value);
    await lists.get(form);
    const option = form.querySelector("[role=option][data-value]");
    if (option?.dataset.label.toLowerCase().startsWith(label.value.trim().toLowerCase())) choose(form, option);
  }

  function searchKey(event, form) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return false;
    const options = [...form.querySelectorAll("[role=option][data-value]")];
    const at = options.indexOf(pointed(form)) + (event.key === "ArrowDown" ? 1 : -1);
    point(form, options[Math.min(Math.max(at, 0), options.length - 1)]);
    event.preventDefault();
    return true;
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest(".g-editor");
    if (!form || !event.target.dataset.choices) return;
    form.elements.value.value = event.target.value;
    clearTimeout(waiting);
    waiting = setTimeout(() => form.isConnected && listChoices(form, event.target.value), 120);
  });

  // Keys and pointer inside an open cell
  function editorKey(event, form) {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close(form, true);
    } else if (event.target.matches("button")) {
      return;
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = form.elements.label && pointed(form);
      if (option) choose(form, option);
      save(form, { down: event.shiftKey ? -1 : 1, right: 0 });
    } else if (event.key === "Tab" && form.dataset.field !== "outcome" && !form.matches(".has-conflict")) {
      event.preventDefault();
      const option = form.elements.label && form.elements.value.value === form.elements.label.value && pointed(form);
      if (option) choose(form, option);
      save(form, { down: 0, right: event.shiftKey ? -1 : 1 });
    } else if (form.elements.label) {
      searchKey(event, form);
    }
  }

  document.addEventListener("keydown", (event) => {
    isPointing = false;
    const form = event.target.closest(".g-editor");
    if (form) return editorKey(event, form);
    const cell = event.target.closest(".g-table th, .g-table td");
    if (cell && event.target === stopOf(cell)) gridKey(event, cell);
  }, true);

  let isPointing = false;
  document.addEventListener("pointerdown", (event) => {
    isPointing = true;
    // The list is clicked while the input keeps the focus.
    if (event.target.closest(".g-options")) event.preventDefault();
  });
  document.addEventListener("mousedown", (event) => { if (event.target.closest(".g-options")) event.preventDefault(); });

  document.addEventListener("click", (event) => {
    const form = event.target.closest(".g-editor");
    if (form) {
      const option = event.target.closest("[role=option][data-value]");
      if (option) choose(form, option);
      if (option) save(form, { down: 0, right: 0 });
      if (event.target.closest("[data-leaves]")) close(form, true);
      return;
    }
    const cell = event.target.closest(CELL);
    if (!cell || event.target.closest("a, button")) return;
    if (isEditable(cell)) open(cell);
    else moveTo(cell);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".g-editor")) return;
    event.preventDefault();
    save(event.target, { down: 0, right: 0 });
  });

  // A list that was picked from with the pointer is saved as it is picked.
  document.addEventListener("change", (event) => {
    const form = event.target.closest(".g-editor");
    if (form && isPointing && event.target.matches(".g-choice select")) save(form, { down: 0, right: 0 });
  });

  // Going elsewhere saves, as in a spreadsheet; a cell with something to decide waits.
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest?.(".g-editor");
    if (!form || kept || form.contains(event.relatedTarget) || !document.hasFocus()) return;
    setTimeout(() => {
      if (!form.isConnected || "saving" in form.dataset || form.contains(document.activeElement)) return;
      if (form.matches(".has-error, .has-conflict")) return;
      if (isChanged(form)) save(form, null);
      else close(form, false);
    });
  });

  // What a risk score is made of, on hover and on focus
  const card = document.getElementById("risk-card");

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function showRisk(cell) {
    const factors = JSON.parse(document.getElementById("risk-factors")?.dataset.factors || "[]");
    const points = cell.dataset.contributions.split(",").map(Number);
    const present = points.map((point, index) => [point, index]).filter(([point]) => point >= 0).sort((a, b) => b[0] - a[0]);
    const missing = points.flatMap((point, index) => (point < 0 && factors[index]?.[0] ? [factors[index][0]] : []));
    const list = element("table");
    const body = list.appendChild(element("tbody"));
    for (const [point, index] of present) {
      const line = body.insertRow();
      line.append(element("th", factors[index]?.[0] || `Factor ${index + 1}`), element("td", (point / 100).toFixed(1)));
      line.title = factors[index]?.[1] || "";
    }
    const sum = list.createTFoot().insertRow();
    sum.append(element("th", "Risk score"), element("td", Number(cell.dataset.score).toFixed(1)));
    card.replaceChildren(element("strong", `Risk of ${cell.parentElement.dataset.account}`), list);
    if (missing.length) card.append(element("p", `No data: ${missing.join(", ")}.`));
    card.append(element("p", `Data completeness ${cell.dataset.completeness}%`));
    card.hidden = false;
    cell.setAttribute("aria-describedby", card.id);
    placeRisk(cell);
  }

  function placeRisk(cell) {
    const box = cell.getBoundingClientRect();
    const left = Math.min(box.left, innerWidth - card.offsetWidth - 8);
    const isBelow = box.bottom + card.offsetHeight + 8 < innerHeight;
    card.style.left = `${Math.max(left, 8)}px`;
    card.style.top = `${isBelow ? box.bottom + 2 : Math.max(box.top - card.offsetHeight - 2, 8)}px`;
  }

  function hideRisk() {
    if (!card || card.hidden) return;
    card.hidden = true;
    document.querySelector("[aria-describedby=risk-card]")?.removeAttribute("aria-describedby");
  }

  for (const [show, hide] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(show, (event) => {
      const cell = event.target.closest?.("[data-contributions]");
      if (cell) showRisk(cell);
    });
    document.addEventListener(hide, (event) => {
      if (event.target.closest?.("[data-contributions]")) hideRisk();
    });
  }
  document.addEventListener("scroll", () => {
    const cell = document.querySelector("[aria-describedby=risk-card]");
    if (cell) placeRisk(cell);
  }, true);

  // What waits for the totals, and what a card on a phone needs: the name of its column beside each value.
  function dress() {
    // What scrolls sideways on a phone can be reached by keyboard.
    for (const strip of document.querySelectorAll(".g-totals .p-strip")) {
      if (strip.scrollWidth > strip.clientWidth) strip.tabIndex = 0;
    }
    const total = document.querySelector("#totals [data-count]");
    const pager = document.querySelector(".g-pager");
    if (total && pager) {
      const count = Number(total.dataset.count);
      const pages = Math.max(Math.ceil(count / Number(pager.dataset.pageSize)), 1);
      pager.querySelector("[data-count-slot]").textContent = ` of ${count.toLocaleString("en-GB")}`;
      pager.querySelector("[data-page-slot]").textContent = ` of ${pages.toLocaleString("en-GB")}`;
    }
    if (!table()) return;
    for (const link of table().tHead.querySelectorAll("a:not([tabindex])")) link.tabIndex = -1;
    if (!table().querySelector("[tabindex='0']")) makeCurrent(cellAt(1, 0));
    if (!PHONE.matches) return;
    document.querySelector(".g-sorter .p-menu").replaceChildren(...[...table().tHead.querySelectorAll("a")].map(sortItem));
    const labels = [...table().tHead.rows[0].cells].map((head) => head.dataset.label);
    for (const row of table().tBodies[0].rows) {
      for (const cell of row.cells) cell.dataset.label = labels[cell.cellIndex];
    }
  }

  // On a phone there are no heads: their links stand in a menu.
  function sortItem(link) {
    const item = link.cloneNode(true);
    item.className = "p-menu-item";
    item.removeAttribute("id");
    item.tabIndex = 0;
    return item;
  }

  // Order and page size may have changed since the pills were drawn: what a filter leads to keeps them.
  function withPresentOrder(params) {
    const present = new URLSearchParams(location.search);
    for (const name of ["sort", "per_page"]) {
      if (present.has(name)) params.set(name, present.get(name));
    }
    return params;
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.closest(".p-filters") || event.target.method !== "get") return;
    event.preventDefault();
    location.assign(`${event.target.getAttribute("action")}?${withPresentOrder(new URLSearchParams(new FormData(event.target)))}`);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".p-filters a[href^='?']");
    if (link) link.search = withPresentOrder(new URLSearchParams(link.search));
  }, true);

  PHONE.addEventListener("change", dress);
  dress();

  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (event.detail.target?.id !== "totals") return;
      for (const total of event.detail.target.querySelectorAll("[aria-busy] dd")) total.textContent = "Not available";
    });
  }
})();
