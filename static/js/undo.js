// Undo and redo by key. The steps that this person made in this window are kept in its session storage, so that they
// outlive their toasts and the page: Ctrl Z takes back the newest, Ctrl Shift Z or Ctrl Y does the last undo again. Every
// step comes with the address that takes it back; the server's answer to that has the address of its own undo.
(function () {
  "use strict";
  const MOST_STEPS = 200;
  const place = `perennial:steps:${document.body.dataset.user || ""}`;
  const STEP_URL = /\/(history\/undo\/[0-9a-f-]{36}|touches\/\d+\/(delete|restore)|tasks\/undo\/[0-9a-f-]{36}|flags\/\d+\/(clear|reopen))\/$/;

  function read() {
    try {
      return { done: [], undone: [], shown: [], ...JSON.parse(sessionStorage.getItem(place)) };
    } catch {
      return { done: [], undone: [], shown: [] };
    }
  }

  const write = (steps) => sessionStorage.setItem(place, JSON.stringify(steps));
  const without = (list, url) => list.filter((other) => other !== url);

  // The undo whose answer is being read: the step in that answer is an undo's own.
  let answered = "";

  function note(url) {
    const steps = read();
    if (steps.undone.includes(answered)) {
      write({ ...steps, done: [...steps.done, url], undone: without(steps.undone, answered) });
    } else if (steps.done.includes(answered)) {
      write({ ...steps, done: without(steps.done, answered), undone: [...steps.undone, url] });
      return "redo";
    } else if (!steps.done.includes(url) && !steps.undone.includes(url)) {
      write({ ...steps, done: [...steps.done, url].slice(-MOST_STEPS), undone: [] });
    }
    return "undo";
  }

  // Fired by each toast that offers an undo; `verb` says in the event what its button does.
  document.addEventListener("perennial:step", (event) => { event.detail.verb = note(event.detail.undoUrl); });

  const pathOf = (event) => event.detail.pathInfo?.requestPath || "";
  document.addEventListener("htmx:beforeOnLoad", (event) => { answered = pathOf(event); });
  document.addEventListener("htmx:afterRequest", (event) => {
    const path = pathOf(event);
    answered = "";
    // Refused for good: nothing of it is left to take back, or it is not there any more.
    if (STEP_URL.test(path) && [403, 404, 409].includes(event.detail.xhr.status)) {
      const steps = read();
      write({ ...steps, done: without(steps.done, path), undone: without(steps.undone, path) });
    }
  });

  // A save that is still on its way is the newest step. Other scripts add what to wait for: functions that give a promise.
  const waits = [];
  let underWay = 0;
  let settle = () => {};
  const isWrite = (event) => event.detail.requestConfig?.verb !== "get";
  document.addEventListener("htmx:beforeSend", (event) => { if (isWrite(event)) underWay += 1; });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isWrite(event)) underWay = Math.max(underWay - 1, 0);
    if (!underWay) settle();
  });

  async function quiet() {
    await Promise.allSettled(waits.map((wait) => wait()));
    if (underWay) await new Promise((resolve) => { settle = resolve; });
  }

  // One after the other, however fast the keys are pressed.
  let queue = Promise.resolve();

  function step(list, nothing) {
    queue = queue.then(quiet).then(async () => {
      const url = read()[list].at(-1);
      if (!url) {
        perennial.toast({ text: nothing });
        return;
      }
      try {
        await htmx.ajax("POST", url, { source: document.body, target: document.body, swap: "none" });
      } catch {
        // The shell says what failed; the step stays, to be tried again.
      }
    });
  }

  const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, [contenteditable]")
    || element.closest(".g-editor");

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    const isRedo = (key === "z" && event.shiftKey) || (key === "y" && !event.shiftKey);
    if (isRedo) step("undone", "Nothing to do again.");
    else if (key === "z") step("done", "Nothing to undo in this window. Older steps are in the history.");
    else return;
    event.preventDefault();
  });

  // Pages that end in a step name it once: <form data-step action="/history/undo/...">.
  function noteShown() {
    for (const form of document.querySelectorAll("form[data-step]")) {
      const url = new URL(form.action).pathname;
      const steps = read();
      if (steps.shown.includes(url)) continue;
      write({ ...steps, shown: [...steps.shown, url].slice(-MOST_STEPS) });
      note(url);
    }
  }
  document.addEventListener("htmx:afterSwap", noteShown);
  noteShown();

  window.perennial.undo = { waits };
})();
