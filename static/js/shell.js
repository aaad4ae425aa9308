// What every page shares: theme and fold buttons, drop-downs, dialogs, confirmations, keys, and what happens when the
// server does not answer as hoped. State is in the DOM and on the server; nothing here is needed to read a page.
(function () {
  "use strict";
  const root = document.documentElement;
  const isTyping = (element) => Boolean(element.closest("input, textarea, select, [contenteditable]"));

  // Theme and rail
  function showThemeChoice() {
    for (const button of document.querySelectorAll("[data-theme-choice]:not(html)")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === root.dataset.themeChoice));
    }
  }
  showThemeChoice();

  // Of a row of tabs that is wider than the screen, the one that is shown.
  for (const tab of document.querySelectorAll(".p-tabs [aria-current]")) {
    const row = tab.parentElement;
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }

  // On a phone the rail is a bar of what is used most; "More" opens it to a sheet of everything.
  const rail = document.getElementById("rail");
  const opensRail = document.querySelector("[data-opens-rail]");

  // Of a rail that is longer than the window, the page that is shown.
  rail?.querySelector(".p-rail-item[aria-current]")?.scrollIntoView({ block: "nearest" });

  function openRail(isOpen) {
    rail.classList.toggle("is-open", isOpen);
    opensRail.setAttribute("aria-expanded", String(isOpen));
  }

  document.addEventListener("click", (event) => {
    if (!opensRail) return;
    const isOpen = rail.classList.contains("is-open");
    if (opensRail.contains(event.target)) openRail(!isOpen);
    else if (isOpen && !rail.contains(event.target)) openRail(false);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !rail?.classList.contains("is-open")) return;
    openRail(false);
    opensRail.focus();
  });

  // Dialogs
  const confirmation = document.getElementById("confirm");
  const shellDialog = document.getElementById("shell-dialog");

  function open(dialog) {
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  }

  function confirmThen(question, verb, proceed) {
    confirmation.querySelector("[data-question]").textContent = question;
    confirmation.querySelector("[value=yes]").textContent = verb || "Go on";
    confirmation.returnValue = "";
    confirmation.addEventListener("close", () => { if (confirmation.returnValue === "yes") proceed(); }, { once: true });
    confirmation.showModal();
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-opens], [data-closes], button[data-theme-choice], [data-folds-rail]");
    if (target?.dataset.opens) {
      event.preventDefault();
      open(document.getElementById(target.dataset.opens));
    } else if (target && "closes" in target.dataset) {
      target.closest("dialog").close();
    } else if (target?.dataset.themeChoice) {
      perennial.chooseTheme(target.dataset.themeChoice);
      showThemeChoice();
    } else if (target) {
      perennial.foldRail();
    }
    // A click on the backdrop lands on the dialog itself: it closes, unless a form in it holds work.
    if (event.target.matches?.("dialog.p-dialog:not(:has(form:not([method=dialog])))")) {
      const box = event.target.getBoundingClientRect();
      const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!isInside) event.target.close();
    }
    for (const drop of document.querySelectorAll("details.p-drop[open]")) {
      if (!drop.contains(event.target)) drop.open = false;
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm || form.dataset.confirm;
    if (!question || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    confirmThen(question, submitter?.dataset.confirmVerb || form.dataset.confirmVerb, () => {
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter);
      delete form.dataset.confirmed;
    });
  }, true);

  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    confirmThen(event.detail.question, event.target.dataset.confirmVerb, () => event.detail.issueRequest(true));
  });

  for (const swapped of ["htmx:afterSwap", "htmx:partialAfterSwap"]) {
    document.addEventListener(swapped, (event) => {
      if (event.detail.target === shellDialog && shellDialog.childElementCount) open(shellDialog);
    });
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target === shellDialog && event.detail.xhr.status === 204) shellDialog.close();
  });

  // Keys
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const drop = event.target.closest("details.p-drop[open]") || document.querySelector("details.p-drop[open]");
      if (!drop) return;
      drop.open = false;
      drop.querySelector("summary").focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const search = document.querySelector(".p-search input");
    if (event.key === "?") {
      event.preventDefault();
      open(document.getElementById("keys"));
    } else if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  // Answers that are not the hoped-for ones
  const REASONS = {
    403: "You are not allowed to change this. Nothing was saved.",
    404: "This is no longer there, or not yours to see. Reload the page to see the current rows.",
    413: "The file is larger than the server accepts. Nothing was saved.",
    429: "Too many attempts in a short time. Wait a minute and try again.",
  };
  const NO_ANSWER = "Not saved: the server did not answer. Your value is still in the cell; try again.";
  const NOT_LOADED = "The server did not answer. What you see may be out of date; try again.";

  const complain = (text) => perennial.toast({ text, level: "error" });
  const isRead = (detail) => detail.requestConfig?.verb === "get";

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = event.detail;
    const signInPath = document.body.dataset.signInUrl;
    const landedOn = xhr.responseURL ? new URL(xhr.responseURL).pathname : "";
    // The session ended: the redirect was followed and this answer is the sign-in page. Take the whole window there.
    if (xhr.status === 401 || (signInPath && landedOn === signInPath && location.pathname !== signInPath)) {
      event.preventDefault();
      location.assign(`${signInPath}?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (/"toast"/.test(xhr.getResponseHeader("HX-Trigger") || "")) return;
    if (xhr.status === 403 && xhr.responseText.includes("data-page-too-old")) {
      complain("You have signed in or out since this page was opened. Nothing was saved: reload the page and try again.");
      return;
    }
    const failed = isRead(event.detail) ? "" : " Nothing was saved.";
    complain(REASONS[xhr.status] || `The server could not do this (error ${xhr.status}).${failed} Try again.`);
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      // What the page fetches by itself (polling, late totals) fails quietly; what a person did does not.
      if (event.detail.requestConfig?.triggeringEvent?.type === "load") return;
      if (event.detail.elt?.getAttribute("hx-trigger")?.includes("every")) return;
      complain(isRead(event.detail) ? NOT_LOADED : NO_ANSWER);
    });
  }

  // A day without its month would be sent as blank, and clear what was there.
  document.addEventListener("submit", (event) => {
    const half = [...event.target.elements].find((input) => input.validity.badInput);
    if (!half) return;
    event.preventDefault();
    event.stopPropagation();
    half.reportValidity();
  }, true);
})();
