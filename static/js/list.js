// Around the central table: rows that are read again, what waits for the totals, cards on a phone, and filters that keep
// the present order.
(function () {
  "use strict";
  const ROWS_ONE_BY_ONE = 5;
  const PHONE = matchMedia("(max-width: 639.98px)");
  const { table, rowOf, rows, headOf } = perennial.grid;

  // Rows that changed by other ways than their own cells (undo, bulk edit) are read again: those in question, or the list.
  document.addEventListener("renewals:changed", (event) => {
    const { ids = [], is_all: isAll = false } = event.detail;
    const list = document.getElementById("renewal-list");
    const changed = ids.map(rowOf).filter(Boolean);
    if ((isAll || changed.length > ROWS_ONE_BY_ONE) && !list.querySelector(".g-editor")) {
      htmx.ajax("GET", location.pathname + location.search, { source: list, target: list, swap: "outerHTML" });
      return;
    }
    for (const row of changed) {
      htmx.ajax("GET", `${table().dataset.url}${row.dataset.id}/`, { source: row, target: row, swap: "outerHTML" });
    }
  });

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
    if (!table() || !PHONE.matches) return;
    document.querySelector(".g-sorter .p-menu").replaceChildren(...[...table().tHead.querySelectorAll("a")].map(sortItem));
    for (const row of rows()) {
      for (const cell of row.cells) cell.dataset.label = headOf(cell).dataset.label;
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

  document.addEventListener("perennial:dressed", dress);
  PHONE.addEventListener("change", dress);
  dress();

  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (event.detail.target?.id !== "totals") return;
      for (const total of event.detail.target.querySelectorAll("[aria-busy] dd")) total.textContent = "Not available";
    });
  }
})();
