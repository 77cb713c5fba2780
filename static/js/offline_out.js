/* Logging out, and the log-in page: this phone forgets the key and the pages. What was never sent
   stays, sealed, for the same person; only where there is none of it, of anybody, all goes. */
(() => {
  "use strict";
  if (!self.isSecureContext || !self.indexedDB) return;
  const out = document.querySelector("form[data-log-out]");
  if (!out) {
    phone.wipe().then(async () => {
      const waiting = (await phone.unsent()).length;
      const note = document.getElementById("unsent");
      if (note && waiting) {
        note.hidden = false;
        note.querySelector("p").textContent = note.dataset.said.replace("%n%", waiting);
      }
    }).catch(() => {});
    return;
  }
  let ready = false;
  out.addEventListener("submit", (event) => {
    if (ready) return;
    event.preventDefault();
    phone.wipe().then(async () => {
      if ((await phone.unsent()).length) return;
      out.append(Object.assign(document.createElement("input"), { type: "hidden", name: "nothing_waits", value: "1" }));
    }).catch(() => {}).finally(() => { ready = true; out.submit(); });
  });
})();
