// A rectangle of cells: dragged with the mouse, or grown by Shift with a click or the keys that move. It begins at the
// cell that has the focus and ends at another one; both are known by row and column, so that it stays while rows are
// swapped. Where the rows have another order than when it was made, it is given up: what is not seen is not pasted onto.
(function () {
  "use strict";
  const { CELL, table, rowOf, rows, heads, nameOf, cellIn, current, makeCurrent, focusCell, targetOf, keys, say } = perennial.grid;
  const PHONE = matchMedia("(max-width: 639.98px)");
  const EDGES = ["is-range-top", "is-range-right", "is-range-bottom", "is-range-left"];
  const SAID_AFTER_MS = 300;
  let from = null;
  let to = null;
  let madeOf = "";

  const addressOf = (cell) => ({ id: cell.parentElement.dataset.id, name: nameOf(cell) });
  const cellOf = (address) => {
    const row = address && rowOf(address.id);
    return (row && cellIn(row, address.name)) || null;
  };

  function between(first, last) {
    const all = rows();
    const places = [all.indexOf(first.parentElement), all.indexOf(last.parentElement)];
    const columns = [first.cellIndex, last.cellIndex];
    return {
      rows: all.slice(Math.min(...places), Math.max(...places) + 1),
      columns: heads().slice(Math.min(...columns), Math.max(...columns) + 1).map((head) => head.dataset.name),
    };
  }

  // What a copy takes and a paste begins at: the rectangle, or the one cell that has the focus.
  function rectangle() {
    const first = cellOf(from);
    const last = cellOf(to);
    if (first && last) return between(first, last);
    const cell = current();
    return cell ? between(cell, cell) : null;
  }

  const isBlock = () => Boolean(cellOf(from) && cellOf(to));

  function select(first, last) {
    [from, to] = first === last ? [null, null] : [addressOf(first), addressOf(last)];
    madeOf = namesOf(rectangle());
    show();
    announce();
  }

  function clear() {
    if (!from) return;
    from = to = null;
    show();
    announce();
  }

  const namesOf = (block) => (block ? [...block.rows.map((row) => row.dataset.id), ...block.columns].join() : "");

  function show() {
    for (const cell of document.querySelectorAll(".g-table .is-in-range")) {
      cell.classList.remove("is-in-range", ...EDGES);
      cell.removeAttribute("aria-selected");
    }
    if (!isBlock()) return;
    const { rows: chosen, columns } = rectangle();
    const first = heads().findIndex((head) => head.dataset.name === columns[0]);
    const last = first + columns.length - 1;
    chosen.forEach((row, place) => {
      for (let column = first; column <= last; column += 1) {
        const cell = row.cells[column];
        const isEdge = [place === 0, column === last, place === chosen.length - 1, column === first];
        cell.classList.add("is-in-range", ...EDGES.filter((_, side) => isEdge[side]));
        cell.setAttribute("aria-selected", "true");
      }
    });
  }

  let waiting = 0;

  function announce() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const block = isBlock() && rectangle();
      say(block ? `${counted(block.rows.length, "row")} by ${counted(block.columns.length, "column")} selected` : "");
    }, SAID_AFTER_MS);
  }

  const counted = (count, noun) => `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;

  // By keys
  function wholeOf(event, cell) {
    const all = rows();
    const last = heads().length - 1;
    const isAll = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && !event.shiftKey;
    if (isAll) return [all[0].cells[0], all.at(-1).cells[last]];
    if (event.key !== " ") return null;
    if (event.shiftKey && !event.ctrlKey) return [cell.parentElement.cells[0], cell.parentElement.cells[last]];
    if (event.ctrlKey && !event.shiftKey) return [all[0].cells[cell.cellIndex], all.at(-1).cells[cell.cellIndex]];
    return null;
  }

  keys.push((event, cell) => {
    if (PHONE.matches || event.altKey) return false;
    const whole = wholeOf(event, cell);
    if (whole) {
      select(...whole);
      return true;
    }
    if (event.key === "Escape") clear();
    if (!event.shiftKey) return false;
    const target = targetOf(event, cellOf(to) || cell);
    if (!target) return false;
    if (!target.closest("thead")) {
      select(cellOf(from) || cell, target);
      target.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    return true;
  });

  // By mouse
  let dragged = null;

  document.addEventListener("mousedown", (event) => {
    const cell = event.target.closest?.(CELL);
    if (!cell || event.button !== 0 || PHONE.matches || event.target.closest("a, button, input, select, .g-editor")) return;
    if (!event.shiftKey) {
      dragged = cell;
      return;
    }
    event.preventDefault();
    const start = cellOf(from) || current() || cell;
    focusCell(start);
    select(start, cell);
  });

  document.addEventListener("mousemove", (event) => {
    if (!dragged) return;
    if (!(event.buttons & 1) || !dragged.isConnected) {
      stopDragging();
      return;
    }
    const cell = event.target.closest?.(CELL);
    if (!cell || (cell === dragged && !from) || cell === cellOf(to)) return;
    if (!table().classList.contains("is-dragging")) {
      table().classList.add("is-dragging");
      getSelection().removeAllRanges();
      focusCell(dragged);
    }
    select(dragged, cell);
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  function stopDragging() {
    dragged = null;
    table()?.classList.remove("is-dragging");
  }
  document.addEventListener("mouseup", stopDragging);

  document.addEventListener("perennial:moved", clear);
  document.addEventListener("perennial:dressed", () => {
    if (from && namesOf(isBlock() && rectangle()) !== madeOf) from = to = null;
    show();
  });

  window.perennial.selection = { rectangle, select, clear, isBlock, show };
})();
