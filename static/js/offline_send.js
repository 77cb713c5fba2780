/* Send what waits on this phone, in order, each once. Shared by the pages and the service worker. */
self.sending = (() => {
  "use strict";
  const KEY = "/offline/key/";
  const visitOf = (url) => url.match(/^\/[^/]+\/\d+\//)?.[0] ?? url;

  /* Who is logged in, asked of the server; null where nobody is. Throws without signal. */
  async function ask() {
    const response = await fetch(KEY, { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (!response.ok) {
      if (response.type === "opaqueredirect") await phone.wipe();
      return null;
    }
    const given = await response.json();
    return { ...given, record: await phone.adopt(given) };
  }

  function post(url, pairs, csrf, id) {
    return fetch(url, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams(pairs),
      headers: { "X-CSRFToken": csrf, ...(id ? { "X-Send-Key": id } : {}) },
      signal: AbortSignal.timeout(20000),
    });
  }

  async function one(item, csrf) {
    const told = await phone.unseal(item).catch(() => null);
    if (!told) {
      await phone.put("unsent", { ...item, state: "unreadable" });
      return "nothing";
    }
    const response = await post(item.url, told.pairs, csrf, item.kind === "form" ? item.id : "");
    if (response.ok) {
      if (item.kind === "form") await phone.put("keys", { id: "sent", user: item.user, at: Date.now() });
      await phone.remove("unsent", item.id);
      return "sent";
    }
    if ([400, 404, 409, 410, 413, 422].includes(response.status)) {
      if (item.kind === "form") await phone.put("unsent", { ...item, state: "refused" });
      return "refused";
    }
    return "later";
  }

  /* Returns what has become of it: "nothing", "sent", "refused", "login", "later". */
  async function run() {
    const items = await phone.unsent();
    if (!items.length) return "nothing";
    const who = await ask();
    if (!who) return "login";
    const stuck = new Set();
    let said = "nothing";
    for (const item of items.filter((each) => each.user === who.user)) {
      const about = visitOf(item.url);
      // A form that was refused waits for a person, and what follows it too; a tap holds up nothing.
      if (item.state === "refused" && item.page === item.url) stuck.add(about);
      if (item.state === "refused" || stuck.has(about)) continue;
      const became = await one(item, who.csrf);
      if (became === "later") return "later";
      if (became === "refused" && item.page === item.url) stuck.add(about);
      if (said === "nothing" || became === "refused") said = became;
    }
    return said;
  }

  /* One at a time, whichever page or worker begins; the other pages hear what became of it. */
  const others = new BroadcastChannel("sending");
  const send = () => navigator.locks.request("send", async () => {
    const became = await run().catch(() => "later");
    if (became !== "nothing") others.postMessage(became);
    return became;
  });

  return { ask, post, send, others };
})();
