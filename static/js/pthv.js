/* Small comforts. Every page works without this file. */
(() => {
  "use strict";
  const RELEASE_AFTER = 8000; // a file download never leaves the page, so the button comes back by itself

  const UNDO_FOR = 10000; // milliseconds

  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");

  function release(form) {
    delete form.dataset.sent;
    for (const button of form.elements) if (button.type === "submit") button.removeAttribute("aria-disabled");
    for (const button of document.querySelectorAll(`[form="${CSS.escape(form.id)}"]`)) button.removeAttribute("aria-disabled");
  }

  // Ask before what cannot be undone, then let a form leave once only.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    const again = form.dataset.sent === "yes";
    if (again || (question && !window.confirm(question))) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (form.method !== "post") return;
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-disabled", "true"); // not `disabled`: its name and value must go along
    setTimeout(release, RELEASE_AFTER, form);
  }, true);
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("form");
    if (form) release(form);
  });

  // One box that ticks the rest; without this file people tick each.
  for (const all of document.querySelectorAll("[data-tick-all]")) {
    all.closest("label").hidden = false;
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll(`${all.dataset.tickAll} input[type="checkbox"]`)) box.checked = all.checked;
    });
  }

  // What was just recorded can be taken back for ten seconds.
  setTimeout(() => document.querySelectorAll("[data-undo-form]").forEach((form) => form.remove()), UNDO_FOR);

  // A page that came back with a refusal begins there.
  document.querySelector("#form-errors, #blockers")?.focus();

  // Focus goes to what changed: the first error, or what asks for it, or the new part itself.
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    if (part.contains(document.activeElement) && typing(document.activeElement)) return;
    const goal = part.querySelector('[role="alert"], [data-focus]') ?? (part.matches("[data-focus], [tabindex]") ? part : null);
    goal?.focus({ preventScroll: false });
  });

  // Say it honestly when the signal fails.
  function say(kind) {
    const region = document.getElementById("messages");
    if (!region) return;
    const note = document.createElement("div");
    const text = document.createElement("p");
    note.className = "notice notice-warning";
    text.textContent = region.dataset[kind];
    note.append(text);
    region.replaceChildren(note);
    note.scrollIntoView({ block: "nearest" });
  }
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => say("offline"));
  document.addEventListener("htmx:responseError", () => say("refused"));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector("details.menu[open]");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
      const box = event.target.closest?.(".search");
      if (box) { box.querySelector("#found")?.replaceChildren(); box.querySelector("input").focus(); }
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const search = document.querySelector("[data-search]");
    if (search?.offsetParent) { event.preventDefault(); search.focus(); search.select(); }
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
})();
