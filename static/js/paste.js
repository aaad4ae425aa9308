// Blocks of cells: copied, pasted, filled with one value, cleared. What is pasted goes to the server as one step, with
// what each cell held on this page; where a cell is refused nothing is saved, the cell says why, and a panel asks.
(function () {
  "use strict";
  const { table, rowOf, rows, heads, cellIn, isEditable, current, focusCell, keys, say, swapRow, dress } = perennial.grid;
  const { rectangle, isBlock } = perennial.selection;
  const MOST_CHARACTERS = 1_500_000; // each may become three bytes on its way; the server takes five million
  const counted = (count, noun) => `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;

  // The clipboard is the table's while one of its cells has the focus and no text is marked elsewhere.
  const isOurs = () => Boolean(document.activeElement?.matches(".g-table tbody :is(th, td)"))
    && (isBlock() || getSelection().isCollapsed);

  function copy(event) {
    if (!isOurs()) return false;
    const block = rectangle();
    event.clipboardData.setData("text/plain", perennial.clipboard.write(block));
    event.preventDefault();
    say(`${counted(block.rows.length * block.columns.length, "cell")} copied`);
    return true;
  }

  document.addEventListener("copy", copy);
  document.addEventListener("cut", (event) => { if (copy(event)) clearCells(); });

  document.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    const form = event.target.closest?.(".g-editor");
    if (form ? !isForCells(form, event.target, text) : !isOurs()) return;
    event.preventDefault();
    if (form) perennial.editor.close(form, true);
    if (text) paste(perennial.clipboard.read(text));
  }, true);

  // A block that comes to a cell just opened is meant for the table, not for the one cell.
  function isForCells(form, input, text) {
    if (perennial.editor.isChanged(form)) return false;
    const lines = perennial.clipboard.read(text);
    return lines.length > 1 || lines[0].length > 1 || input.tagName === "SELECT";
  }

  // Where the block goes: one value into all that is selected, a pattern as often as it fits, else from the first cell on.
  function paste(lines) {
    const block = rectangle();
    const [height, width] = [lines.length, Math.max(...lines.map((line) => line.length))];
    const isRepeated = isBlock() && block.rows.length % height === 0 && block.columns.length % width === 0;
    const values = isRepeated
      ? block.rows.map((_, line) => block.columns.map((__, place) => lines[line % height][place % width] ?? ""))
      : lines;
    begin("paste", values);
  }

  function fill(text) {
    const { rows: chosen, columns } = rectangle();
    begin("fill", chosen.map(() => columns.map(() => text)));
  }

  function clearCells() {
    const { rows: chosen, columns } = rectangle();
    begin("clear", chosen.map(() => columns.map(() => "")));
  }

  keys.push((event, cell) => {
    if (event.key !== "Delete" || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
    if (isBlock() || isEditable(cell)) clearCells();
    else perennial.editor.open(cell); // says why not
    return true;
  });

  // Asking, one after the other
  let asked = null;
  let sending = Promise.resolve();

  function begin(action, values) {
    leave();
    const block = rectangle();
    sending = sending.then(() => ask(action, values, block));
  }
  perennial.undo.waits.push(() => sending);

  async function ask(action, values, block) {
    const all = rows();
    const first = heads().findIndex((head) => head.dataset.name === block.columns[0]);
    const place = all.findIndex((row) => row.dataset.id === block.rows[0].dataset.id);
    const onto = all.slice(place, place + values.length);
    const width = Math.max(...values.map((line) => line.length));
    const columns = heads().slice(first, first + width).map((head) => head.dataset.name);
    // What is on its way is what the cells will hold.
    await perennial.editor.settled();
    const ids = onto.map((row) => row.dataset.id);
    const was = ids.map((id) => columns.map((name) => {
      const cell = rowOf(id) && cellIn(rowOf(id), name);
      // A cell without an editor is known by what copying it gives: pasted back with its row, it asks for nothing.
      return cell ? cell.dataset.value ?? perennial.clipboard.textOf(cell) : null;
    }));
    await send({ action, columns, rows: ids.map(Number), values, was, is_partial: false });
  }

  async function send(request) {
    const paste = JSON.stringify(request);
    if (paste.length > MOST_CHARACTERS) {
      complain(`This is more than one paste takes: ${MOST_CHARACTERS.toLocaleString("en-GB")} characters. Nothing was saved. Paste less, or bring it as a file.`);
      return;
    }
    const cells = request.rows.flatMap((id) => request.columns.map((name) => rowOf(id) && cellIn(rowOf(id), name)));
    for (const cell of cells) cell?.classList.add("is-saving");
    try {
      const response = await fetch(`${table().dataset.url}paste/`, {
        method: "POST",
        headers: { ...JSON.parse(document.body.getAttribute("hx-headers")), "X-Columns": table().dataset.columns },
        body: new URLSearchParams({ paste }),
      });
      await take(request, response);
    } catch {
      complain("The server did not answer, so nothing is known to be saved. Look at the cells, then paste again.");
    } finally {
      for (const cell of cells) cell?.classList.remove("is-saving");
    }
  }

  const complain = (text) => perennial.toast({ text, level: "error" });

  async function take(request, response) {
    if (response.redirected || response.status === 401) {
      location.assign(`${document.body.dataset.signInUrl}?next=${encodeURIComponent(location.pathname + location.search)}`);
    } else if (!response.headers.get("Content-Type")?.startsWith("application/json")) {
      complain(`The server could not take this (error ${response.status}). Nothing was saved; reload the page and try again.`);
    } else {
      const answer = await response.json();
      if (answer.rows) showRows(answer.rows);
      if (answer.toast) perennial.toast(answer.toast);
      if (answer.panel) hold(request, answer);
    }
  }

  function showRows(markup) {
    const fresh = document.createElement("template");
    fresh.innerHTML = markup;
    for (const row of [...fresh.content.querySelectorAll("tr[data-id]")]) {
      if (rowOf(row.dataset.id)) swapRow(rowOf(row.dataset.id), row);
    }
    htmx.process(table());
    htmx.trigger(table(), "htmx:afterSwap", { target: table(), elt: table() });
    htmx.trigger(document.body, "renewals:changed", { ids: [] });
  }

  // What was refused: each cell is marked, and the panel over the table asks what to do.
  const panel = () => document.getElementById("paste-panel");
  const note = document.createElement("div");
  note.id = "paste-note";
  note.className = "g-card s-note";
  note.setAttribute("role", "tooltip");
  note.hidden = true;
  document.getElementById("main").append(note);
  const findings = new Map();

  function hold(request, answer) {
    asked = { request, findings: answer.findings };
    for (const finding of answer.findings) {
      if (finding.id !== null && finding.field) findings.set(`${finding.id}/${finding.field}`, finding);
    }
    document.getElementById("renewal-list").insertAdjacentHTML("beforebegin", answer.panel);
    htmx.process(panel());
    mark();
    panel().focus();
  }

  function leave() {
    asked = null;
    panel()?.remove();
    findings.clear();
    mark();
    hideNote();
  }

  function mark() {
    if (!table()) return;
    for (const cell of table().querySelectorAll(".is-refused")) {
      cell.classList.remove("is-refused", "is-clash");
      cell.removeAttribute("aria-invalid");
    }
    for (const { id, field, kind } of findings.values()) {
      const cell = rowOf(id) && cellIn(rowOf(id), field);
      if (!cell) continue;
      cell.classList.add("is-refused");
      cell.classList.toggle("is-clash", kind === "conflict");
      cell.setAttribute("aria-invalid", "true");
    }
  }
  document.addEventListener("perennial:dressed", mark);

  function showNote(cell) {
    const finding = findings.get(`${cell.parentElement.dataset.id}/${perennial.grid.nameOf(cell)}`);
    if (!finding) return;
    note.textContent = finding.message;
    note.hidden = false;
    cell.setAttribute("aria-describedby", note.id);
    const box = cell.getBoundingClientRect();
    const isBelow = box.bottom + note.offsetHeight + 8 < innerHeight;
    note.style.left = `${Math.max(Math.min(box.left, innerWidth - note.offsetWidth - 8), 8)}px`;
    note.style.top = `${isBelow ? box.bottom + 2 : box.top - note.offsetHeight - 2}px`;
  }

  function hideNote() {
    note.hidden = true;
    document.querySelector("[aria-describedby=paste-note]")?.removeAttribute("aria-describedby");
  }

  for (const [show, hide] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(show, (event) => {
      const cell = event.target.closest?.(".is-refused");
      if (cell) showNote(cell);
    });
    document.addEventListener(hide, (event) => { if (event.target.closest?.(".is-refused")) hideNote(); });
  }

  // The choice. "Mine" is compared with what the panel showed as theirs: who was faster a second time is seen again.
  function choose(choice) {
    const { request, findings: found } = asked;
    leave();
    if (current()) focusCell(current());
    if (choice === "none") return;
    const was = request.was.map((line) => [...line]);
    for (const { kind, line, place, theirs_value: theirs } of found) {
      if (choice === "mine" && kind === "conflict") was[line][place] = theirs;
    }
    sending = sending.then(() => send({ ...request, was, is_partial: true }));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#paste-panel button");
    if (!button) return;
    if (button.dataset.choice) choose(button.dataset.choice);
    const row = button.dataset.id && rowOf(button.dataset.id);
    if (row) focusCell(cellIn(row, button.dataset.field));
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !panel() || event.target.closest(".g-editor, dialog")) return;
    choose("none");
  });

  window.perennial.paste = { fill };
  dress();
})();
