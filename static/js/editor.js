// Open cells of the central table: opening, saving, leaving, and choices that are searched on the server. An open cell
// holds its form; what the cell held when it was opened travels in the form as `was`.
(function () {
  "use strict";
  const NOT_SAVED = "Not saved. Your value is still here; press Enter to try again.";
  const { CELL, table, rowOf, headOf, nameOf, isEditable, makeCurrent, focusCell, moveTo, neighbour, markEditing } = perennial.grid;
  const formIn = (cell) => cell.querySelector(":scope > .g-editor");
  const inputOf = (form) => form.querySelector("[role=combobox], [name=value]:not([type=hidden])");

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
    markEditing(row.dataset.id);
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
    markEditing(cell.parentElement.dataset.id);
    if (takesFocus) focusCell(cell);
  }

  function fillSelection(form) {
    if (isHalf(form)) return sayHalf(form);
    const input = inputOf(form);
    const text = input.tagName === "SELECT" ? input.selectedOptions[0].text : input.value;
    close(form, true);
    return perennial.paste.fill(text);
  }

  // A day without its month is blank to scripts and forms: saved, it would clear what was there.
  const isHalf = (form) => [...form.elements].some((input) => input.validity.badInput);
  const sayHalf = (form) => say(form, "The date is not complete. Finish it, or press Escape to leave it as it was.");

  function isChanged(form) {
    const { elements } = form;
    if (isHalf(form)) return true;
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
  const settled = () => Promise.allSettled([...queues.values()]);

  function save(form, move) {
    if ("isSaving" in form.dataset) return;
    if (isHalf(form)) {
      sayHalf(form);
      return;
    }
    const cell = form.closest("td");
    const next = move && neighbour(cell, move.down, move.right);
    if (!isChanged(form) && !form.matches(".has-conflict")) {
      close(form, false);
      moveTo(next || cell);
      return;
    }
    const { id } = form.closest("tr").dataset;
    form.dataset.isSaving = "";
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
    form.dataset.isAnswered = "";
    const where = row ? { source: row, target: row, swap: "outerHTML" } : { source: document.body, swap: "none" };
    try {
      await htmx.ajax("POST", form.getAttribute("action"), { ...where, values });
    } catch {
      // The network failed; what is below says so in the cell.
    }
    markEditing(id);
    if (!form.isConnected) return;
    delete form.dataset.isSaving;
    delete form.dataset.isAnswered;
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

  // Searched choices: a combobox whose list comes from the server.
  const lists = new WeakMap();
  let waiting = 0;

  function listChoices(form, text) {
    const input = inputOf(form);
    const list = form.querySelector(".g-options");
    const url = `${input.dataset.choices}?q=${encodeURIComponent(text)}`;
    const shown = htmx.ajax("GET", url, { source: list, target: list, swap: "innerHTML" }).then(() => {
      list.hidden = "isSaving" in form.dataset;
      input.setAttribute("aria-expanded", String(!list.hidden));
      list.scrollIntoView({ block: "nearest", inline: "nearest" });
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
      // As in Excel: with Ctrl the focus stays, and what is selected gets the same value.
      if (!event.ctrlKey && !event.metaKey) save(form, { down: event.shiftKey ? -1 : 1, right: 0 });
      else if (!perennial.selection.isBlock() || form.dataset.field === "outcome") save(form, { down: 0, right: 0 });
      else fillSelection(form);
    } else if (event.key === "Tab" && form.dataset.field !== "outcome" && !form.matches(".has-conflict")) {
      event.preventDefault();
      const option = form.elements.label && form.elements.value.value === form.elements.label.value && pointed(form);
      if (option) choose(form, option);
      save(form, { down: 0, right: event.shiftKey ? -1 : 1 });
    } else if (form.elements.label) {
      searchKey(event, form);
    }
  }

  // Keys of a cell that is not open: Enter, F2 and typing open it.
  perennial.grid.keys.push((event, cell) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Enter" || event.key === "F2") {
      open(cell, { selects: event.key === "Enter" });
    } else if (event.key === "Backspace") {
      open(cell, { typed: "" });
    } else if (event.key.length === 1 && !"/? ".includes(event.key)) {
      open(cell, { typed: event.key });
      // A date takes no text from a script: the digit is left to the input that has the focus by now.
      return !(document.activeElement.type === "date" && /\d/.test(event.key));
    } else {
      return false;
    }
    return true;
  });

  document.addEventListener("keydown", (event) => {
    isPointing = false;
    const form = event.target.closest(".g-editor");
    if (form) editorKey(event, form);
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
    if (!cell || event.shiftKey || event.target.closest("a, button, input")) return;
    moveTo(cell);
    if (isEditable(cell)) open(cell);
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
    if (!form || perennial.grid.isSwapping() || form.contains(event.relatedTarget) || !document.hasFocus()) return;
    setTimeout(() => {
      if (!form.isConnected || "isSaving" in form.dataset || form.contains(document.activeElement)) return;
      if (form.matches(".has-error, .has-conflict")) return;
      if (isChanged(form)) save(form, null);
      else close(form, false);
    });
  });

  perennial.undo.waits.push(settled);
  window.perennial.editor = { open, close, isChanged, settled };
})();
