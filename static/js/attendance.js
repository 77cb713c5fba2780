/* The attendance grid by keyboard, and ten seconds to undo. The buttons work without this file. */
(() => {
  "use strict";
  const UNDO_FOR = 10000;
  const grid = document.querySelector("[data-attendance]");
  if (!grid) return;
  const undo = document.getElementById("attendance-undo");
  const keys = { c: "attended", p: "partial", a: "absent" };
  let leaving; // the timer of the offer to undo

  const cellOf = (element) => element.closest("[data-cell]");
  const buttons = (cell) => [...cell.querySelectorAll("button[data-state]")];
  const pressed = (cell) => buttons(cell).find((button) => button.getAttribute("aria-pressed") === "true");
  const minutes = (cell) => cell.querySelector("input[name='minutes']")?.value ?? "";

  // One cell at a time is in the order of Tab; the arrows lead to the others.
  function enter(cell) {
    for (const button of grid.querySelectorAll("[data-cell] :is(button, input)")) button.tabIndex = -1;
    for (const button of cell.querySelectorAll("button, input")) button.tabIndex = 0;
  }
  function move(cell, down, right) {
    const rows = [...grid.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td")]);
    let row = rows.findIndex((cells) => cells.includes(cell.closest("td")));
    let column = rows[row].indexOf(cell.closest("td"));
    for (row += down, column += right; rows[row]?.[column]; row += down, column += right) {
      const next = rows[row][column].querySelector("[data-cell]");
      if (next && buttons(next).length) {
        enter(next);
        (pressed(next) ?? buttons(next)[0]).focus();
        return;
      }
    }
  }
  // Where not all sessions fit, today's is in view.
  const box = grid.querySelector(".table-scroll");
  const now = grid.querySelector("[data-attendance-now]");
  if (now && getComputedStyle(now).display === "table-cell") {
    const names = grid.querySelector("thead th");
    const side = document.dir === "rtl" ? "right" : "left";
    const fixed = document.dir === "rtl" ? -names.offsetWidth : names.offsetWidth;
    box.scrollLeft += now.getBoundingClientRect()[side] - box.getBoundingClientRect()[side] - fixed;
  }
  const first = grid.querySelector("[data-cell] button[data-state]");
  if (!first) return;
  enter(cellOf(first));
  grid.querySelector("table").setAttribute("role", "grid");
  for (const hint of document.querySelectorAll("[data-attendance-hint]")) hint.hidden = false;
  grid.addEventListener("focusin", (event) => { const cell = cellOf(event.target); if (cell) enter(cell); });

  grid.addEventListener("keydown", (event) => {
    const cell = cellOf(event.target);
    if (!cell || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const rtl = document.dir === "rtl" ? -1 : 1;
    const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -rtl], ArrowRight: [0, rtl] };
    if (arrows[event.key]) {
      event.preventDefault();
      move(cell, ...arrows[event.key]);
      return;
    }
    const state = keys[event.key.toLowerCase()];
    const button = state && buttons(cell).find((one) => one.dataset.state === state);
    if (button) {
      event.preventDefault();
      if (button !== pressed(cell)) button.click();
      if (state !== "partial") move(cell, 1, 0); // how long they stayed is said in the same cell
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      pressed(cell)?.click();
    }
  });

  // What it was before stands ready for ten seconds.
  grid.addEventListener("htmx:beforeRequest", (event) => {
    const cell = cellOf(event.detail.elt);
    if (cell) cell.before = { state: pressed(cell)?.dataset.state ?? "expected", minutes: minutes(cell) };
  });
  grid.addEventListener("htmx:afterSwap", (event) => {
    const cell = cellOf(event.detail.target);
    if (!cell) return;
    if (document.activeElement === document.body) (pressed(cell) ?? buttons(cell)[0])?.focus();
    enter(cellOf(document.activeElement) ?? cell);
    if (event.detail.xhr.status === 200 && cell.before) offer(cell, cell.before);
    delete cell.before;
  });
  function offer(cell, before) {
    const now = pressed(cell);
    const back = document.createElement("button");
    const text = document.createElement("p");
    const note = document.createElement("div");
    text.textContent = `${cell.dataset.cell}: ${now ? now.lastChild.textContent.trim() : undo.dataset.nothing}`;
    back.className = "btn btn-secondary";
    back.type = "button";
    back.textContent = undo.dataset.undo;
    back.addEventListener("click", () => {
      undo.replaceChildren();
      (now ?? buttons(cell)[0]).focus();
      window.htmx.ajax("POST", cell.dataset.url, { source: cell, target: cell, swap: "innerHTML", values: before });
    });
    note.className = "notice";
    note.append(text, back);
    undo.replaceChildren(note);
    clearTimeout(leaving);
    leaving = setTimeout(() => { if (!undo.contains(document.activeElement)) undo.replaceChildren(); }, UNDO_FOR);
  }
})();
