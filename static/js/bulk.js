// Choosing rows of the central table, and the forms that act on what is chosen. The boxes are made here, because without
// a script there is nothing that they could tell; which rows are chosen is kept while the list is swapped under them.
(function () {
  "use strict";
  const bar = document.getElementById("bulk-bar");
  const chosen = new Set();
  let isAll = false;
  let lastBox = null;

  const boxes = () => [...document.querySelectorAll(".g-table tbody .b-check")];
  const pageBox = () => document.querySelector(".g-table thead .b-check");
  const matchingCount = () => Number(document.querySelector("#totals [data-count]")?.dataset.count || 0);
  const grouped = (count) => count.toLocaleString("en-GB");

  function makeBox(label) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "b-check";
    box.tabIndex = -1;
    box.setAttribute("aria-label", label);
    return box;
  }

  // Every row gets its box again after a swap: an edit answers with the row anew, sorting with the whole list.
  function dress() {
    const table = document.querySelector(".g-table");
    if (!bar || !table) return;
    const head = table.tHead.rows[0].cells[0];
    if (!head.querySelector(".b-check")) head.prepend(makeBox("Select every row of this page"));
    for (const row of table.tBodies[0].rows) {
      if (!row.dataset.id || row.cells[0].querySelector(".b-check")) continue;
      const box = makeBox(`Select ${row.dataset.account}`);
      box.name = "select";
      box.value = row.dataset.id;
      row.cells[0].prepend(box);
    }
    show();
  }

  function show() {
    if (!bar) return;
    const rows = boxes();
    for (const box of rows) {
      box.checked = isAll || chosen.has(box.value);
      const row = box.closest("tr");
      row.classList.toggle("is-selected", box.checked);
      row.setAttribute("aria-selected", String(box.checked));
    }
    const ticked = rows.filter((box) => box.checked).length;
    const page = pageBox();
    if (page) {
      page.checked = rows.length > 0 && ticked === rows.length;
      page.indeterminate = ticked > 0 && ticked < rows.length;
    }
    showBar(rows.length > 0 && ticked === rows.length);
  }

  function showBar(isPageChosen) {
    const count = matchingCount();
    const shown = isAll ? count : chosen.size;
    bar.hidden = !shown;
    bar.querySelector("[data-selected]").textContent = isAll ? `All ${grouped(count)} matching selected` : `${grouped(shown)} selected`;
    const more = bar.querySelector("[data-selects-all]");
    more.hidden = isAll || !isPageChosen || count <= shown;
    more.textContent = `Select all ${grouped(count)} matching`;
  }

  function choose(box, isChosen) {
    if (isAll) {
      // Leaving "all" by hand: what is on the page stays chosen, the rest is not.
      isAll = false;
      for (const other of boxes()) chosen.add(other.value);
    }
    if (isChosen) chosen.add(box.value);
    else chosen.delete(box.value);
  }

  function clear() {
    isAll = false;
    chosen.clear();
    show();
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.(".g-table .b-check");
    if (!box) return;
    if (box === pageBox()) {
      for (const other of boxes()) choose(other, box.checked);
    } else {
      const rows = boxes();
      const from = event.shiftKey && lastBox?.isConnected ? rows.indexOf(lastBox) : rows.indexOf(box);
      const to = rows.indexOf(box);
      for (const other of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) choose(other, box.checked);
      lastBox = box;
    }
    show();
  });

  // Space on a cell of the table chooses its row.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (!event.target.matches?.(".g-table tbody :is(th, td)")) return;
    const box = event.target.parentElement.querySelector(".b-check");
    if (!box) return;
    event.preventDefault();
    choose(box, !box.checked);
    show();
  });

  bar?.querySelector("[data-selects-all]").addEventListener("click", () => {
    isAll = true;
    show();
    bar.querySelector(".btn-primary").focus();
  });
  bar?.querySelector("[data-selects-none]").addEventListener("click", () => {
    clear();
    document.querySelector(".g-table [tabindex='0']")?.focus();
  });

  // All that match are named by the table's address, which the server reads again; ticked ones by their ids.
  bar?.addEventListener("submit", () => {
    for (const old of bar.querySelectorAll("[data-filter]")) old.remove();
    const { ids, all } = bar.elements;
    ids.disabled = isAll;
    all.disabled = !isAll;
    ids.value = [...chosen].join(",");
    all.value = "yes";
    if (!isAll) return;
    for (const [name, value] of new URLSearchParams(location.search)) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      field.dataset.filter = "";
      bar.append(field);
    }
  });

  // An export takes the address as it is when the button is pressed: sorting changes it without loading the page.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-follows-address]")) return;
    form.setAttribute("action", form.getAttribute("action").split("?")[0] + location.search);
    form.closest("details")?.removeAttribute("open");
  });

  function showExportCount() {
    const count = document.querySelector("#totals [data-count]");
    const place = document.querySelector("[data-export-count]");
    if (count && place) place.textContent = grouped(Number(count.dataset.count));
  }

  document.addEventListener("htmx:afterSwap", () => {
    dress();
    showExportCount();
  });
  // By then htmx has given each row the classes that the server sent.
  document.addEventListener("htmx:afterSettle", show);
  dress();
  showExportCount();

  // A name is searched on the server while it is typed; the browser shows what was found.
  let waiting = 0;
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (!input.dataset?.lists) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const answer = await fetch(`${input.dataset.lists}?q=${encodeURIComponent(input.value)}`);
      if (!answer.ok) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      const options = [...found.querySelectorAll("[data-label]")].map((one) => new Option(one.textContent.trim(), one.dataset.label));
      document.getElementById(input.getAttribute("list")).replaceChildren(...options);
    }, 150);
  });

  // Rows of an edited file
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-ticks-all]")) return;
    for (const box of event.target.closest("form").querySelectorAll("[name=row]")) box.checked = event.target.checked;
  });
})();
