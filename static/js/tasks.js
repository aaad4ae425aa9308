// The list of tasks: how many are selected, and keys. J and K walk the rows, X selects, D is done with, S puts off.
(function () {
  "use strict";
  const list = () => document.getElementById("task-list");
  const rows = () => [...list().querySelectorAll("tr[data-task]")];
  const boxes = () => [...list().querySelectorAll("input[name=task]")];
  let here = -1;

  function count() {
    const bar = document.getElementById("task-bulk");
    if (!bar) return;
    const chosen = boxes().filter((box) => box.checked).length;
    bar.hidden = chosen === 0;
    const every = bar.querySelector("[data-every]");
    if (every) {
      // Offered where all of the page are selected, and taken back with the first that is not.
      every.hidden = chosen < boxes().length;
      const box = every.querySelector("input");
      if (box && every.hidden) box.checked = false;
    }
    const isEvery = Boolean(every?.querySelector("input")?.checked);
    bar.querySelector("[data-selected]").textContent = isEvery ? "" : `${chosen} selected`;
    const all = list().querySelector("[data-select-all]");
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && chosen < boxes().length;
    }
  }

  function select(isChecked) {
    for (const box of boxes()) box.checked = isChecked;
    count();
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) select(event.target.checked);
    else if (event.target.matches("input[name=task], input[name=every]")) count();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear-selection]")) select(false);
  });

  function go(place) {
    const all = rows();
    if (!all.length) return;
    here = Math.max(0, Math.min(place, all.length - 1));
    all.forEach((row, index) => row.classList.toggle("is-here", index === here));
    all[here].querySelector("[data-open]").focus();
    all[here].scrollIntoView({ block: "nearest" });
  }

  const KEYS = {
    j: () => go(here + 1),
    k: () => go(here - 1),
    x: (row) => row?.querySelector("input[name=task]")?.click(),
    d: (row) => row?.querySelector("[data-done]")?.click(),
    s: (row) => {
      const summary = row?.querySelector("[data-snooze]");
      summary?.click();
      summary?.parentElement.querySelector(".p-menu-item")?.focus();
    },
    n: () => document.querySelector("[data-new-task]")?.click(),
  };

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select") || event.target.closest("dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key](rows()[here]);
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("tr[data-task]");
    if (row) here = rows().indexOf(row);
  });

  // The list is new after each write: what was selected stays so, and the next task stands where the last one stood.
  const isOfList = (event) => event.detail.target?.id === "task-list" || event.target.id === "task-list";
  let selected = [];

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (isOfList(event)) selected = boxes().filter((box) => box.checked).map((box) => box.value);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!isOfList(event)) return;
    for (const box of boxes()) box.checked = selected.includes(box.value);
    count();
    if (here >= 0) go(here);
  });
})();
