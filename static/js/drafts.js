/* While somebody writes: a draft on the server, and on this phone, sealed, as long as the server lacks it. */
(() => {
  "use strict";
  if (!self.offline) return;
  const { user, keptAt, time, words, pairsOf, tokenOf } = self.offline;
  const LOCAL = 400, SERVER = 1500; // milliseconds after the last letter

  self.draftOf = (form) => {
    const draft = { id: crypto.randomUUID(), stop };
    let local, server, release, busy = Promise.resolve(), over = false;
    const state = form.querySelector("[data-draft-state]");
    const say = (name, at) => { if (state && !over) state.textContent = words(name, { time: time(at) }); };
    const fresh = () => [...pairsOf(form), ["key", draft.id]];

    // While this page lives, no other takes its draft for one that was left behind.
    const hold = () => navigator.locks.request(`draft ${draft.id}`, () => new Promise((resolve) => { release = resolve; }));
    hold();

    const after = (job) => { busy = busy.then(job, job); return busy; };
    async function keepHere() {
      if (over) return;
      const at = Date.now();
      try {
        const sealed = await phone.seal(user, { pairs: fresh() });
        await phone.put("unsent", { id: draft.id, kind: "draft", user, url: form.dataset.draft, at, ...sealed });
        say("draftHere", at);
      } catch {
        say("draftNowhere", at);
      }
    }
    async function keepThere() {
      if (over) return;
      try {
        const response = await sending.post(form.dataset.draft, fresh(), tokenOf(form));
        if (!response.ok) throw new Error(response.status);
        await phone.remove("unsent", draft.id);
        sessionStorage.setItem(form.dataset.draft, draft.id);
        say("draftThere", Date.now());
      } catch { /* it is on this phone, and goes with the rest */ }
    }
    function typed() {
      self.offline.isDirty();
      clearTimeout(local);
      clearTimeout(server);
      local = setTimeout(() => after(keepHere), LOCAL);
      server = setTimeout(() => after(keepThere), SERVER);
    }
    async function stop() {
      over = true;
      clearTimeout(local);
      clearTimeout(server);
      await busy;
      release?.();
      setTimeout(() => { over = false; }, 0); // refused: one writes on
      return draft.id;
    }
    form.addEventListener("input", typed);
    document.addEventListener("visibilitychange", () => { if (document.hidden && local) { clearTimeout(local); after(keepHere); } });

    function fill(pairs) {
      for (const box of form.querySelectorAll("[type=checkbox], [type=radio]")) {
        box.checked = pairs.some(([name, value]) => name === box.name && value === box.value);
      }
      for (const [name, value] of pairs) {
        const field = form.elements[name];
        if (name !== "draft" && field && !(field instanceof RadioNodeList) && !["checkbox", "radio"].includes(field.type)) field.value = value;
      }
    }

    /* Drafts that only this phone has, left by a page that is gone: the newest fills a form that
       has none of the server's; the others are offered. */
    async function offer() {
      const shown = form.elements.draft?.value;
      const found = (await phone.unsent()).filter((item) => item.kind === "draft" && item.url === form.dataset.draft && item.user === user);
      for (const item of found.reverse()) {
        const told = await navigator.locks.request(`draft ${item.id}`, { ifAvailable: true }, (free) => free && phone.unseal(item));
        if (!told) continue;
        if (!shown && !form.dataset.filled) {
          form.dataset.filled = "yes";
          take(item, told.pairs);
        } else button(item, told.pairs);
      }
    }
    function take(item, pairs) {
      fill(pairs);
      release?.();
      draft.id = item.id;
      hold();
      self.offline.isDirty();
      say("draftHere", item.at);
      if (!keptAt) after(keepThere);
    }
    function button(item, pairs) {
      const list = document.getElementById("drafts");
      const [note, text, use] = ["div", "p", "button"].map((name) => document.createElement(name));
      note.className = "notice";
      text.textContent = list.dataset.said + time(item.at);
      use.className = "btn btn-secondary";
      use.type = "button";
      use.textContent = list.dataset.use;
      use.addEventListener("click", async () => {
        await after(keepHere); // what stands here now stays a draft of its own
        take(item, pairs);
        note.remove();
      });
      note.append(text, use);
      list.append(note);
    }
    // Drawn again, a tab goes on with its own draft, though another's is newer.
    const own = sessionStorage.getItem(form.dataset.draft);
    const way = own && document.querySelector(`#drafts a[href$="draft=${own}"]`);
    if (way && !location.search) location.replace(way.href);
    else offer();
    return draft;
  };

  for (const form of document.querySelectorAll("form[data-draft]")) form.keeper = self.draftOf(form);
})();
