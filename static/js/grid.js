// The central table: where the focus is, the keys that move it, and what survives a swap. State is in the DOM: the one
// cell with tabindex 0 is where the focus is or returns to. `perennial.grid` is what the table's other scripts build on.
//
// Whoever brings rows from elsewhere calls `perennial.grid.swapRow(row, fresh)`, which keeps open cells, focus and
// selection. A row with an open cell has `data-is-editing`; once its last cell is left, `perennial:row-released` is
// fired on the document with the row's id as `detail.id`. Rows without data-id (heads of groups) are passed over.
(function () {
  "use strict";
  const PAGE_STEP = 10;
  const CELL = ".g-table tbody > tr[data-id] > *";

  const table = () => document.querySelector(".g-table");
  const rowOf = (id) => document.getElementById(`renewal-${id}`);
  const heads = () => [...table().tHead.rows[0].cells];
  const headOf = (cell) => table().tHead.rows[0].cells[cell.cellIndex];
  const nameOf = (cell) => headOf(cell).dataset.name;
  const isEditable = (cell) => cell.dataset.value !== undefined;
  const rows = () => [...table().tBodies].flatMap((body) => [...body.rows]).filter((row) => row.dataset.id);
  const cellIn = (row, name) => row.cells[heads().findIndex((head) => head.dataset.name === name)];
  const current = () => table()?.querySelector("tbody [tabindex='0']:is(td, th)") || null;

  // What is said to those who listen. Saves and refusals are said by the toasts.
  const status = document.createElement("p");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  document.body.append(status);
  const say = (text) => { status.textContent = text; };

  // The table is one stop for Tab from outside; arrows move inside, up into the heads with their sort links.
  const stopOf = (cell) => (cell.closest("thead") ? cell.querySelector("a") : cell);

  function makeCurrent(cell) {
    for (const old of table().querySelectorAll("[tabindex='0']")) old.tabIndex = -1;
    stopOf(cell).tabIndex = 0;
  }

  function focusCell(cell) {
    makeCurrent(cell);
    stopOf(cell).focus();
  }

  // The person goes there: what was selected is no longer.
  function moveTo(cell) {
    if (!cell) return;
    focusCell(cell);
    document.dispatchEvent(new CustomEvent("perennial:moved", { detail: { cell } }));
  }

  const stops = () => [table().tHead.rows[0], ...rows()];
  const placeOf = (cell) => stops().indexOf(cell.parentElement);

  function cellAt(place, columnIndex) {
    const all = stops();
    const row = all[Math.min(Math.max(place, 0), all.length - 1)];
    return row.cells[Math.min(Math.max(columnIndex, 0), row.cells.length - 1)];
  }

  const neighbour = (cell, down, right) => cellAt(placeOf(cell) + down, cell.cellIndex + right);

  // Where a key leads from a cell; nothing where it is not a key that moves.
  function targetOf(event, cell) {
    const place = placeOf(cell);
    const isFar = event.ctrlKey || event.metaKey;
    switch (event.key) {
      case "ArrowUp": return isFar ? cellAt(1, cell.cellIndex) : neighbour(cell, -1, 0);
      case "ArrowDown": return isFar ? cellAt(Infinity, cell.cellIndex) : neighbour(cell, 1, 0);
      case "ArrowLeft": return isFar ? cellAt(place, 0) : neighbour(cell, 0, -1);
      case "ArrowRight": return isFar ? cellAt(place, Infinity) : neighbour(cell, 0, 1);
      case "Home": return cellAt(isFar ? 1 : place, 0);
      case "End": return cellAt(isFar ? Infinity : place, Infinity);
      case "PageUp": return cellAt(Math.max(place - PAGE_STEP, 1), cell.cellIndex);
      case "PageDown": return cellAt(place + PAGE_STEP, cell.cellIndex);
    }
    return null;
  }

  // Tab goes from cell to cell and from row to row, and out of the table behind the last one. Nobody is held in it:
  // after Escape the next Tab leaves from anywhere.
  let isLeaving = false;

  function tabTarget(cell, step) {
    const last = heads().length - 1;
    const column = cell.cellIndex + step;
    if (column >= 0 && column <= last) return cell.parentElement.cells[column];
    const all = rows();
    return all[all.indexOf(cell.parentElement) + step]?.cells[step > 0 ? 0 : last] || null;
  }

  function tabKey(event, cell) {
    const next = isLeaving || event.ctrlKey || event.altKey || event.metaKey ? null : tabTarget(cell, event.shiftKey ? -1 : 1);
    isLeaving = false;
    if (!next) return;
    event.preventDefault();
    moveTo(next);
  }

  // Other scripts put functions here that take a key of a focused cell first: (event, cell) -> is it done?
  const keys = [];

  function gridKey(event, cell) {
    const isInside = !cell.closest("thead");
    if (event.key === "Tab") return isInside && tabKey(event, cell);
    if (event.key !== "Shift") isLeaving = false;
    if (isInside && keys.some((take) => take(event, cell))) {
      event.preventDefault();
      return undefined;
    }
    const target = event.altKey || event.shiftKey ? null : targetOf(event, cell);
    if (target) {
      event.preventDefault();
      moveTo(target);
    } else if (event.key === "Escape") {
      isLeaving = true;
      say("Tab leaves the table.");
    }
    return undefined;
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const cell = event.target.closest(".g-table th, .g-table td");
    if (cell && event.target === stopOf(cell)) gridKey(event, cell);
  }, true);

  // A swapped row keeps the cells that were opened in it meanwhile, and the focus.
  function keepRow(row) {
    const focused = document.activeElement;
    return {
      forms: [...row.querySelectorAll(".g-editor:not([data-is-answered])")].map((form) => [form, nameOf(form.closest("td"))]),
      focused: focused?.closest(".g-editor") ? focused : null,
      column: row.contains(focused) ? nameOf(focused.closest("td, th")) : "",
      current: [...row.cells].findIndex((cell) => cell.tabIndex === 0),
    };
  }

  function restoreRow(row, { forms, focused, column, current: place }) {
    for (const [form, name] of forms) {
      const cell = cellIn(row, name);
      cell.append(form);
      cell.classList.toggle("is-saving", "isSaving" in form.dataset);
    }
    for (const form of row.querySelectorAll(".g-editor")) form.closest("td").classList.add("is-open");
    if (place >= 0) makeCurrent(row.cells[place]);
    const answered = row.querySelector(".has-error, .has-conflict");
    if (focused?.isConnected) {
      focused.focus();
    } else if (answered) {
      makeCurrent(answered.closest("td"));
      answered.querySelector("[role=combobox], [name=value]:not([type=hidden])").focus();
      answered.querySelector(".g-note").scrollIntoView({ block: "nearest", inline: "nearest" });
    } else if (column) {
      focusCell(cellIn(row, column));
    }
    markEditing(row.dataset.id);
  }

  function swapRow(row, fresh) {
    kept = keepRow(row);
    row.replaceWith(fresh);
    restoreRow(fresh, kept);
    kept = null;
  }

  const editing = new Set();

  function markEditing(id) {
    const row = rowOf(id);
    const isEditing = Boolean(row?.querySelector(".g-editor"));
    row?.toggleAttribute("data-is-editing", isEditing);
    if (isEditing) {
      editing.add(id);
    } else if (editing.delete(id)) {
      document.dispatchEvent(new CustomEvent("perennial:row-released", { detail: { id } }));
    }
  }

  // A swapped list (another order, a page, columns) keeps the focus on its row, or on what is there in its place.
  function keepList() {
    const cell = current();
    if (!cell) return null;
    return {
      isList: true,
      id: cell.parentElement.dataset.id,
      name: nameOf(cell),
      place: placeOf(cell),
      isFocused: cell.contains(document.activeElement),
    };
  }

  function restoreList({ id, name, place, isFocused }) {
    const row = rowOf(id);
    if (!table() || (!row && !isFocused)) return;
    const other = cellAt(Math.max(place, 1), 0);
    const cell = (row && cellIn(row, name)) || (row ? row.cells[0] : cellIn(other.parentElement, name) || other);
    if (isFocused) focusCell(cell);
    else makeCurrent(cell);
  }

  let kept = null;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    if (!event.detail.shouldSwap) return;
    if (target?.matches?.(CELL.replace(" > *", ""))) kept = keepRow(target);
    else if (table() && target?.contains?.(table())) kept = keepList();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (kept?.isList) {
      restoreList(kept);
    } else if (kept) {
      const row = event.detail.elt?.matches?.("tr[data-id]") ? event.detail.elt : null;
      const { id } = (row || event.detail.target).dataset;
      if (rowOf(id)) restoreRow(rowOf(id), kept);
    }
    kept = null;
    dress();
  });

  function dress() {
    if (table()) dressTable();
    document.dispatchEvent(new CustomEvent("perennial:dressed"));
  }

  function dressTable() {
    table().setAttribute("aria-multiselectable", "true");
    for (const link of table().tHead.querySelectorAll("a:not([tabindex])")) link.tabIndex = -1;
    if (!table().querySelector("[tabindex='0']")) makeCurrent(cellAt(1, 0));
  }

  // Answers to the table's requests have the columns that this page shows.
  document.addEventListener("htmx:configRequest", (event) => {
    if (table()) event.detail.headers["X-Columns"] = table().dataset.columns;
  });

  window.perennial.grid = {
    CELL, table, rowOf, rows, heads, headOf, nameOf, cellIn, isEditable, current, makeCurrent, focusCell, moveTo, neighbour,
    targetOf, keys, say, swapRow, markEditing, dress, isSwapping: () => Boolean(kept),
  };
  dress();
})();
