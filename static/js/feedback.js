// Moving a theme: Alt with an arrow on its card, or dragging it to another column. Both send the card's own form.
(function () {
  "use strict";
  const cardOf = (element) => element.closest?.("[data-card]");

  function send(card, status) {
    const form = card.querySelector("[data-move]");
    if (!form || !status || card.closest("[data-status]").dataset.status === status) return;
    const seen = form.elements.seen.value;
    htmx.ajax("POST", form.getAttribute("action"), { source: form, target: "#board", swap: "outerHTML", values: { status, seen } });
  }

  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const card = cardOf(event.target);
    if (!card) return;
    // Else the browser goes back a page.
    event.preventDefault();
    send(card, card.querySelector(event.key === "ArrowLeft" ? "[data-left]" : "[data-right]")?.value);
  });

  let dragged = null;
  const over = (column) => {
    document.querySelectorAll(".f-column.is-over").forEach((other) => other.classList.toggle("is-over", other === column));
    column?.classList.add("is-over");
  };
  document.addEventListener("dragstart", (event) => {
    dragged = cardOf(event.target);
    if (!dragged?.draggable) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.querySelector(".f-name").textContent);
    dragged.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const column = dragged && event.target.closest?.("[data-status]");
    if (!column) return;
    event.preventDefault();
    over(column);
  });
  document.addEventListener("drop", (event) => {
    const column = dragged && event.target.closest?.("[data-status]");
    if (!column) return;
    event.preventDefault();
    send(dragged, column.dataset.status);
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
    over(null);
  });

  // The card that was moved keeps the focus, wherever it is now.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "board" || event.target.id === "board") document.querySelector(".f-card.is-moved .f-name")?.focus();
  });
})();
