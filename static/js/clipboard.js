// What goes to the clipboard and what comes from it: cells as tab-separated text, as Excel and Sheets write and read it.
(function () {
  "use strict";
  const { nameOf, cellIn } = perennial.grid;
  // These hold in data-value what pastes back; the others hold ids there, and their words are what pastes back.
  const PLAIN = /_(on|amount)$|^(confidence|next_step)$/;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  // As renewals/exports/guard.py: a quote in front of what a spreadsheet would run.
  const RISKY = /^(?=[\t\r\n])|(^|[;\t\r\n])([^\S\t\r\n]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;
  const CELL = /"([^"]*(?:""[^"]*)*)"(?=\t|\n|$)|[^\t\n]*/y;

  function wordsOf(cell) {
    const copy = cell.cloneNode(true);
    for (const part of copy.querySelectorAll("small, input, form, .d-open, .g-mark, .l-by")) part.remove();
    return copy.textContent.trim().replace(/\s+/g, " ").replace(/^[–—]$/, "");
  }

  const withoutCents = (amount) => amount.replace(/\.00$/, "");

  function outcomeText(cell) {
    const [outcome, , amount] = (cell.dataset.value || "").split("/");
    const more = outcome === "renewed" ? withoutCents(amount) : cell.querySelector("small")?.textContent;
    return more ? `${wordsOf(cell)} (${more})` : wordsOf(cell);
  }

  // A day as 2026-11-05 and a number as 12000, which read the same in every country.
  function plainText(name, words) {
    const day = /^(\d\d) (\w{3}) (\d{4})$/.exec(words);
    if (day) return `${day[3]}-${String(MONTHS.indexOf(day[2]) + 1).padStart(2, "0")}-${day[1]}`;
    return name.endsWith("_amount") ? words.replace(/[^\d.]/g, "") : words;
  }

  function textOf(cell) {
    const name = nameOf(cell);
    if (name === "outcome") return outcomeText(cell);
    if (!PLAIN.test(name) || cell.dataset.value === undefined) return plainText(name, wordsOf(cell));
    return name.endsWith("_amount") ? withoutCents(cell.dataset.value) : cell.dataset.value;
  }

  function written(text) {
    const safe = text.replace(RISKY, "$1'$2");
    return /[\t\n\r]|^"/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  const write = ({ rows, columns }) => rows
    .map((row) => columns.map((name) => written(textOf(cellIn(row, name)))).join("\t"))
    .join("\r\n");

  // Lines of cells. A cell in quotes may hold tabs and line breaks; the line break behind the last line is none.
  function read(text) {
    const all = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
    const lines = [[]];
    CELL.lastIndex = 0;
    for (;;) {
      const [raw, quoted] = CELL.exec(all);
      lines.at(-1).push(quoted === undefined ? raw : quoted.replaceAll('""', '"'));
      const end = all[CELL.lastIndex];
      if (end === undefined) return lines;
      if (end === "\n") lines.push([]);
      CELL.lastIndex += 1;
    }
  }

  window.perennial.clipboard = { read, textOf, write };
})();
