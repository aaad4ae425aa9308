// Draws the figures of a page. The server made them (data, layout, words, addresses); here colours get their value in the
// theme of the moment, a click opens the rows behind a bar or point, and a button swaps a chart for its table.
(function () {
  "use strict";
  const CONFIG = {
    displayModeBar: "hover",
    displaylogo: false,
    responsive: true,
    scrollZoom: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    doubleClick: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "resetScale2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d"],
    toImageButtonOptions: { format: "svg" }, // a bitmap would be made from a blob, which the policy refuses
  };

  // Every "var(--name)" in a figure becomes the value that the variable has now.
  function inTheme(part, style) {
    if (typeof part === "string") {
      return part.startsWith("var(--") ? style.getPropertyValue(part.slice(4, -1)).trim() : part;
    }
    if (Array.isArray(part)) return part.map((item) => inTheme(item, style));
    if (part && typeof part === "object") {
      return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, inTheme(value, style)]));
    }
    return part;
  }

  // On paper a chart is as wide as a portrait page, whatever the screen is, and lower, for its table stands below it.
  const PAPER = { width: 660, share: 0.75 };

  let charts = [];

  // Figures come with the page, and with a part of it that is swapped; those that were swapped away are let go.
  function find() {
    const gone = charts.filter(({ place }) => !place.isConnected);
    for (const { place } of gone) Plotly.purge(place);
    const known = new Map(charts.map((chart) => [chart.place, chart]));
    charts = [...document.querySelectorAll("[data-figure]")].map((place) => known.get(place) || {
      place,
      figure: JSON.parse(document.getElementById(place.dataset.figure).textContent),
      isDrawn: false,
    });
  }

  function draw(chart, isPaper = false) {
    const { data, layout } = inTheme(chart.figure, getComputedStyle(document.documentElement));
    layout.font.family = getComputedStyle(document.body).fontFamily;
    layout.autosize = !isPaper;
    if (isPaper) {
      layout.width = PAPER.width;
      layout.height = parseFloat(getComputedStyle(chart.place).flexBasis) * PAPER.share;
    }
    fitTicks(layout.xaxis, layout.font, isPaper ? PAPER.width : chart.place.clientWidth);
    const shown = Plotly.react(chart.place, data, layout, CONFIG);
    if (!chart.isDrawn) shown.then(() => listen(chart.place));
    chart.isDrawn = true;
  }

  const pen = document.createElement("canvas").getContext("2d");
  const GAP = 6; // between two labels, at least
  const MOST_SLANTED = 12;
  const PERIOD = /^(Q[1-4]|\d\d|[A-Z][a-z]{2})<br>(FY\d\d|\d{4}|[A-Z][a-z]{2})$/; // Q4 FY27, Jan 2027, 04 Jan

  // Labels that would run into each other: of periods, and of many, every second or third is left out, counted
  // from the last; few names or steps are slanted.
  function fitTicks(axis, font, width) {
    pen.font = `${font.size}px ${font.family}`;
    const widest = Math.max(0, ...axis.ticktext.flatMap((text) => text.split("<br>")).map((line) => pen.measureText(line).width));
    const step = Math.ceil(((widest + GAP) * axis.tickvals.length) / Math.max(width - 40, 1));
    if (step < 2) return;
    if (axis.tickvals.length <= MOST_SLANTED && !axis.ticktext.every((text) => PERIOD.test(text))) {
      axis.tickangle = -45;
      axis.ticktext = axis.ticktext.map((text) => text.replaceAll("<br>", " "));
      return;
    }
    const last = axis.tickvals.length - 1;
    for (const name of ["tickvals", "ticktext"]) axis[name] = axis[name].filter((_, at) => (last - at) % step === 0);
  }

  function listen(place) {
    place.on("plotly_click", ({ points, event }) => {
      const address = points[0].customdata?.[0];
      if (!address) return;
      if (event.ctrlKey || event.metaKey || event.button === 1) window.open(address, "_blank", "noopener");
      else location.assign(address);
    });
    place.on("plotly_hover", ({ points }) => place.classList.toggle("is-over", Boolean(points[0].customdata?.[0])));
    place.on("plotly_unhover", () => place.classList.remove("is-over"));
    place.dispatchEvent(new CustomEvent("perennial:drawn", { bubbles: true }));
  }

  function showTable(button, isShown) {
    button.setAttribute("aria-expanded", String(isShown));
    const figure = button.closest(".p-figure");
    figure.classList.toggle("is-table", isShown);
    // What was hidden while the window changed its width has to be measured again.
    if (!isShown) Plotly.Plots.resize(figure.querySelector("[data-figure]"));
  }

  const buttons = () => [...document.querySelectorAll("[data-shows-table]")];
  const isOpen = (button) => button.getAttribute("aria-expanded") === "true";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-shows-table]");
    if (button) showTable(button, !isOpen(button));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "t" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const isShown = !buttons().every(isOpen);
    for (const button of buttons()) showTable(button, isShown);
  });

  const drawAll = (isPaper = false) => charts.forEach((chart) => draw(chart, isPaper));
  let isPrinting = false;
  // Printing itself makes the browser report another colour scheme.
  document.addEventListener("perennial:theme", () => { if (!isPrinting) drawAll(); });

  // Paper is white, whatever the screen is.
  window.addEventListener("beforeprint", () => {
    const root = document.documentElement;
    const theme = root.getAttribute("data-bs-theme");
    isPrinting = true;
    root.setAttribute("data-bs-theme", "light");
    drawAll(true);
    drawAll(true); // a legend takes the room that it had in the drawing before
    root.setAttribute("data-bs-theme", theme);
  });
  window.addEventListener("afterprint", () => {
    isPrinting = false;
    drawAll();
  });

  document.addEventListener("htmx:afterSettle", () => {
    find();
    for (const chart of charts) if (!chart.isDrawn) draw(chart);
  });

  find();
  // The first drawing measures text: it waits for the font.
  document.fonts.ready.then(() => drawAll());
})();
