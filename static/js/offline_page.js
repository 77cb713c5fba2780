/* What waits on this phone: read by its person while they are logged in, counted by anybody. */
(() => {
  "use strict";
  const list = document.getElementById("waiting");
  if (!list || !self.isSecureContext || !self.indexedDB) return;
  const show = (id, shown) => { document.getElementById(id).hidden = !shown; };
  const state = (name, shown) => { document.querySelector(`[data-state="${name}"]`).hidden = !shown; };
  const time = (at) => new Date(at).toLocaleString(document.documentElement.lang, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });

  async function line(item, record) {
    const isMine = record?.user === item.user;
    const told = isMine ? await phone.unseal(item).catch(() => null) : null;
    const row = document.getElementById("one").content.cloneNode(true).firstElementChild;
    row.querySelector(".item-title").textContent = told?.heading ?? list.dataset[item.kind === "draft" ? "draft" : "form"];
    const words = [told ? list.dataset[item.state === "refused" ? "refused" : item.kind] : list.dataset[isMine ? "unreadable" : "locked"], time(item.at)];
    row.querySelector(".item-meta").textContent = words.join(" · ");
    const [open, drop] = row.querySelectorAll("a, button");
    open.hidden = !told || !item.page;
    if (item.page) open.href = item.page;
    row.querySelector(".said").textContent = told?.texts?.join("\n") ?? "";
    drop.hidden = !isMine;
    drop.addEventListener("click", async () => {
      if (!confirm(list.dataset.unsure)) return;
      await phone.remove("unsent", item.id);
      await draw();
    });
    return row;
  }

  async function draw(became) {
    const [record, items] = [await phone.key(), await phone.unsent()];
    list.replaceChildren(...(await Promise.all(items.map((item) => line(item, record)))));
    list.hidden = !items.length;
    const away = location.pathname !== "/offline/";
    state("away", away);
    state("ended", !record && items.length > 0);
    state("nothing", !items.length && !away);
    show("send", record && items.some((item) => item.kind === "form" && item.user === record.user));
    show("log-in", became === "login" || (!record && navigator.onLine));
  }
  const send = async () => draw(await sending.send());
  document.getElementById("send").addEventListener("click", send);
  addEventListener("online", () => (location.pathname === "/offline/" ? send() : location.reload()));
  draw();
})();
