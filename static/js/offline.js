/* Without signal: pages kept on the phone, drafts, and forms that wait to be sent. Every page works
   without this file; a form marked data-offline waits here instead of being lost. */
(() => {
  "use strict";
  const place = document.getElementById("offline");
  if (!place || !self.isSecureContext || !navigator.serviceWorker || !self.indexedDB) return;
  const SECONDS = 1000, MINUTES = 60 * SECONDS;
  const user = place.dataset.user;
  const keptAt = Number(document.documentElement.dataset.keptAt);
  let dirty = false; // something was typed here: the page is not drawn anew under one's fingers

  function time(at) {
    const said = { hour: "numeric", minute: "2-digit" };
    if (new Date(at).toDateString() !== new Date().toDateString()) Object.assign(said, { month: "short", day: "numeric" });
    return new Date(at).toLocaleString(document.documentElement.lang, said);
  }
  const words = (name, facts = {}) => Object.entries(facts).reduce((text, [key, value]) => text.replace(`%${key}%`, value), place.dataset[name]);

  // ---- what is so, said at all times

  async function show(became) {
    const mine = (await phone.unsent()).filter((item) => item.kind === "form" && item.user === user);
    const refused = mine.filter((item) => item.state).length; // or can't be opened
    const sent = await phone.get("keys", "sent");
    const lines = [];
    if (keptAt) lines.push(words("was", { time: time(keptAt) }));
    if (mine.length > refused) lines.push(words(became === "login" ? "login" : "waits", { n: mine.length - refused }));
    if (refused) lines.push(words("refused", { n: refused }));
    if (!mine.length && sent?.user === user && Date.now() - sent.at < 5 * MINUTES) lines.push(words("sent", { time: time(sent.at) }));
    place.querySelector("[data-lines]").replaceChildren(...lines.map((line) => {
      const text = document.createElement("p");
      text.textContent = line;
      return text;
    }));
    place.querySelector("[data-look]").hidden = !mine.length;
    place.querySelector("[data-login]").hidden = became !== "login";
    place.hidden = !lines.length;
    steps(mine);
  }

  /* What waits is done as far as this phone goes: what comes before it goes, the step after it opens. */
  function steps(waiting) {
    const done = new Set(waiting.map((item) => item.url));
    for (const part of document.querySelectorAll("[data-offline-before], [data-offline-after]")) {
      const { offlineBefore: before, offlineAfter: after } = part.dataset;
      part.hidden = Boolean((before && done.has(before)) || (after && !done.has(after)));
    }
    for (const form of document.querySelectorAll("form[data-offline]:not([data-offline-next])")) {
      form.hidden = done.has(new URL(form.action).pathname);
    }
    if (keptAt) for (const part of document.querySelectorAll("[data-online]")) part.hidden = true; // true only then
  }

  // ---- sending, and keeping pages for later

  async function start() {
    await navigator.serviceWorker.register(place.dataset.worker);
    const record = await phone.key();
    await show();
    const waiting = (await phone.unsent()).length;
    let fresh = record?.user === user && Date.now() - record.at < 10 * MINUTES;
    if (!fresh) fresh = Boolean(await sending.ask());
    if (waiting) await send();
    if (fresh) setTimeout(keepPages, 2 * SECONDS);
  }

  async function send() {
    const became = await sending.send();
    if (became === "sent" && !dirty) location.reload();
    else await show(became);
  }

  async function keepPages() {
    const record = await phone.key();
    for (const path of record?.pages ?? []) {
      const kept = await phone.get("pages", path);
      if (kept && Date.now() - kept.at < 15 * MINUTES) continue;
      const response = await fetch(path, { cache: "no-store" });
      if (!response.ok || response.redirected) continue;
      await phone.keepPage(path, response);
    }
  }

  const quietly = (job) => job().catch(() => show());
  addEventListener("online", () => quietly(async () => {
    await send();
    if (keptAt && !dirty && (await sending.ask())) location.reload();
  }));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) quietly(async () => { if ((await phone.unsent()).length) await send(); }); });
  sending.others.addEventListener("message", ({ data }) => {
    if (data === "sent" && !dirty) location.reload();
    else show(data);
  });

  // ---- forms

  const pairsOf = (form, submitter) => [...new FormData(form, submitter)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const tokenOf = (form) => form.elements.csrfmiddlewaretoken.value;
  const heading = (form) => form.dataset.title || [...document.querySelectorAll(".page-title, .page-lede")].map((part) => part.textContent.trim()).join(" · ");

  let leaving = false;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.matches("[data-signal]")) {
      leaving = true; // as below: what was sent before must not call this back
      event.preventDefault();
      now(form, event.submitter);
      return;
    }
    leaving = !form.matches("[data-offline]"); // by itself: what was sent before must not call it back
    if (leaving) return;
    event.preventDefault();
    submit(form, event.submitter).finally(() => {
      delete form.dataset.sent; // as pthv.js marks it, to let it leave once only
      event.submitter?.removeAttribute("aria-disabled");
    });
  });

  /* Send it; where the form's token is of an earlier log-in, with the one that holds now. */
  async function post(form, pairs, id) {
    const url = new URL(form.action).pathname;
    const response = await sending.post(url, pairs, tokenOf(form), id);
    if (response.status !== 403) return response;
    const who = await sending.ask();
    return who?.user === user ? sending.post(url, pairs, who.csrf, id) : response;
  }

  async function submit(form, submitter) {
    const pairs = pairsOf(form, submitter);
    if (form.keeper) pairs.push(["draft", await form.keeper.stop()]);
    const item = { id: crypto.randomUUID(), kind: "form", user, url: new URL(form.action).pathname, page: location.pathname, at: Date.now() };
    let response;
    try {
      response = await post(form, pairs, item.id);
    } catch { /* no signal */ }
    if (response?.ok) {
      await over(form);
      await phone.remove("pages", item.page);
      if (!leaving) location.assign((await response.json()).next);
    } else if (isSaid(response)) note(form, (await response.json()).said);
    else if (response && [409, 422].includes(response.status)) swap(await response.text(), form.dataset.unsent, form.keeper?.id);
    else await wait(form, item, pairs);
  }

  /* What is worth nothing later: never put aside. Said at once where nobody hears it; a call for help
     is tried again while this page is open, and done once. */
  async function now(form, submitter) {
    const [pairs, id] = [pairsOf(form, submitter), crypto.randomUUID()];
    const isHelp = form.dataset.signal === "help";
    const unheard = () => note(form, words(isHelp ? "help" : "signal"), true);
    const slow = isHelp && setTimeout(unheard, 3 * SECONDS);
    let response;
    while (!response) {
      try {
        response = await post(form, pairs, id);
      } catch {
        unheard();
        if (!isHelp) break;
        await new Promise((resolve) => { setTimeout(resolve, 3 * SECONDS); addEventListener("online", resolve, { once: true }); });
      }
    }
    clearTimeout(slow);
    if (response?.ok) location.assign((await response.json()).next);
    else if (isSaid(response)) note(form, (await response.json()).said);
    else if (response) form.submit(); // its own answer, as without this script
    delete form.dataset.sent;
    submitter?.removeAttribute("aria-disabled");
  }
  const isSaid = (response) => response?.status === 409 && response.headers.get("content-type") === "application/json";

  /* Below what was tapped, in words; with the numbers to call. */
  function note(form, said, withNumbers = false) {
    const place = form.closest(".taps") ?? form;
    const [box, text] = [document.createElement("div"), document.createElement("p")];
    Object.assign(box, { className: "notice notice-warning", id: "unheard" });
    box.setAttribute("role", "alert");
    text.textContent = said;
    const numbers = withNumbers && document.querySelector("[data-numbers]")?.cloneNode(true);
    numbers?.removeAttribute?.("data-numbers");
    box.append(text, ...(numbers ? [numbers] : []));
    const before = document.getElementById("unheard");
    if (before?.textContent === box.textContent) return; // said already, and not aloud again
    before?.remove();
    place.after(box);
    box.scrollIntoView({ block: "nearest" });
  }

  /* It waits on this phone, with the phone's own time, until there is signal and its person is logged in. */
  async function wait(form, item, pairs) {
    const told = [...pairs.filter(([name]) => name !== "phone_time"), ["phone_time", new Date(item.at).toISOString()]];
    const texts = [...form.querySelectorAll("textarea, input[type=text]")].map((field) => field.value).filter(Boolean);
    try {
      await phone.put("unsent", { ...item, ...(await phone.seal(user, { pairs: told, texts, heading: heading(form) })) });
    } catch {
      place.querySelector("[data-lines]").textContent = words("unkept");
      place.hidden = false;
      return;
    }
    await over(form);
    navigator.serviceWorker.ready.then((worker) => worker.sync?.register("send")).catch(() => {});
    if (form.dataset.offlineNext) location.assign(form.dataset.offlineNext);
    else await show();
  }

  /* The form's text has a place now: no draft of it is needed, nor what was refused before. */
  async function over(form) {
    dirty = false;
    for (const id of [form.keeper?.id, form.dataset.unsent]) if (id) await phone.remove("unsent", id);
  }

  /* What the server refused comes back with every word, in the place of the page. */
  function swap(html, unsent, draft) {
    const main = new DOMParser().parseFromString(html, "text/html").querySelector("main");
    document.querySelector("main").replaceWith(document.adoptNode(main));
    place.remove();
    main.prepend(place);
    self.htmx?.process(main);
    for (const form of main.querySelectorAll("form[data-draft]")) {
      if (unsent) form.dataset.unsent = unsent;
      if (draft) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "draft", value: draft }));
      form.keeper = self.draftOf?.(form);
    }
    main.querySelector("#form-errors")?.focus();
  }

  /* Sent later, and refused: on its own page the text opens, for a person to choose. */
  async function reopen() {
    const mine = (await phone.unsent()).filter((item) => item.state === "refused" && item.user === user);
    const item = !keptAt && mine.find((one) => one.page === location.pathname && one.url === location.pathname);
    if (!item) return;
    const [told, who] = [await phone.unseal(item), await sending.ask()];
    if (!told || who?.user !== user) return;
    const response = await sending.post(item.url, told.pairs, who.csrf, item.id);
    if (response.ok) {
      await phone.remove("unsent", item.id);
      location.assign((await response.json()).next);
    } else if ([409, 422].includes(response.status)) swap(await response.text(), item.id);
  }

  self.offline = { user, keptAt, time, words, pairsOf, tokenOf, isDirty: () => { dirty = true; } };
  document.addEventListener("DOMContentLoaded", () => quietly(async () => { await start(); await reopen(); }));
})();
