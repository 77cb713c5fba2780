/* What this phone keeps. Of people only what is sealed; shared by the pages and the service worker.

   keys:   "key", the person's own (AES, never to be read out) until their log-in ends; and a lock
           for each person: the open half seals at any time, the other half is sealed with the key.
   pages:  pages as the server drew them, sealed with the key. Gone when the log-in ends.
   unsent: forms and drafts that the server doesn't have, sealed with the lock. */
self.phone = (() => {
  "use strict";
  const MONTH = 30 * 24 * 3600 * 1000;
  const CURVE = { name: "ECDH", namedCurve: "P-256" };
  const AES = { name: "AES-GCM", length: 256 };
  const HEADERS = ["content-security-policy", "referrer-policy", "x-content-type-options", "x-frame-options", "cross-origin-opener-policy"];
  let opening;

  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  function open() {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("visits", 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("keys", { keyPath: "id" });
        request.result.createObjectStore("pages", { keyPath: "path" });
        request.result.createObjectStore("unsent", { keyPath: "id" });
      };
      request.onsuccess = () => {
        request.result.onversionchange = () => { request.result.close(); opening = null; };
        request.result.onclose = () => { opening = null; };
        resolve(request.result);
      };
      request.onerror = () => { opening = null; reject(request.error); };
    });
    return opening;
  }
  const store = async (name, mode = "readonly") => (await open()).transaction(name, mode).objectStore(name);
  const get = async (name, id) => done((await store(name)).get(id));
  const all = async (name) => done((await store(name)).getAll());
  const put = async (name, record) => done((await store(name, "readwrite")).put(record));
  const remove = async (name, id) => done((await store(name, "readwrite")).delete(id));

  /* Forget the key and the pages; what waits to be sent stays, and nobody can read it. */
  async function wipe() {
    const stores = (await open()).transaction(["keys", "pages"], "readwrite");
    stores.objectStore("pages").clear();
    await done(stores.objectStore("keys").delete("key"));
  }

  /* The key, if somebody's log-in has not ended. Asked before anything else, here and in the worker. */
  async function key() {
    const record = await get("keys", "key");
    if (record && record.until > Date.now()) return record;
    if (record || (await done((await store("pages")).count()))) await wipe();
    return null;
  }

  async function encrypt(aes, bytes) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, sealed: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, bytes) };
  }
  const decrypt = (aes, { iv, sealed }) => crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, sealed);
  const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
  const value = (buffer) => JSON.parse(new TextDecoder().decode(buffer));

  const raw = (key) => crypto.subtle.importKey("raw", Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0)), "AES-GCM", false, ["encrypt", "decrypt"]);

  /* Whether the lock opens with the key. After the site's secret was replaced: with an older key, and
     is sealed anew; if with none, it is put aside, should its key come back. */
  async function opened(given, aes) {
    const lock = await get("keys", `lock ${given.user}`);
    if (!lock) return false;
    for (const key of [aes, ...(await Promise.all((given.older ?? []).map(raw)))]) {
      const secret = await decrypt(key, lock).catch(() => null);
      if (!secret) continue;
      if (key !== aes) await put("keys", { ...lock, ...(await encrypt(aes, secret)) });
      return true;
    }
    await put("keys", { ...lock, id: `lock ${given.user} ${Date.now()}` });
    return false;
  }

  /* A form goes a month after the server was first reached with it, by the server's clock: a phone's
     own may be years off. */
  async function expire(now) {
    const items = await store("unsent", "readwrite");
    for (const item of await done(items.getAll())) {
      if (item.kind !== "form") continue;
      if (!item.since) items.put({ ...item, since: now });
      else if (item.since < now - MONTH) items.delete(item.id);
    }
  }

  /* Take over the key that the server gave; somebody else's goes, with their pages. */
  async function adopt(given) {
    const before = await key();
    if (before && before.user !== given.user) await wipe();
    const aes = await raw(given.key);
    await expire(given.now);
    if (!(await opened(given, aes))) {
      const pair = await crypto.subtle.generateKey(CURVE, true, ["deriveKey"]);
      const secret = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
      await put("keys", { id: `lock ${given.user}`, shut: pair.publicKey, ...(await encrypt(aes, secret)) });
    }
    const record = { id: "key", user: given.user, aes, until: given.until, pages: given.pages, at: Date.now() };
    await put("keys", record);
    for (const page of await all("pages")) if (!given.pages.includes(page.path)) await remove("pages", page.path);
    return record;
  }

  /* A page as the server drew it, with the headers that go with it. */
  async function keepPage(path, response) {
    const record = await key();
    if (!record?.pages.includes(path)) return;
    const headers = HEADERS.map((name) => [name, response.headers.get(name)]).filter(([, value]) => value);
    const html = await response.text();
    await put("pages", { path, at: Date.now(), ...(await encrypt(record.aes, bytes({ html, headers }))) });
  }
  async function page(path) {
    const [record, found] = [await key(), await get("pages", path)];
    return record && found ? { at: found.at, ...value(await decrypt(record.aes, found)) } : null;
  }

  /* Sealed for `user`, which works at any time; to be opened only with their key. */
  async function seal(user, told) {
    const lock = await get("keys", `lock ${user}`);
    const once = await crypto.subtle.generateKey(CURVE, true, ["deriveKey"]);
    const aes = await crypto.subtle.deriveKey({ name: "ECDH", public: lock.shut }, once.privateKey, AES, false, ["encrypt"]);
    return { half: await crypto.subtle.exportKey("raw", once.publicKey), ...(await encrypt(aes, bytes(told))) };
  }
  async function unseal(item) {
    const record = await key();
    if (!record || record.user !== item.user) return null;
    const half = await crypto.subtle.importKey("raw", item.half, CURVE, false, []);
    const locks = (await all("keys")).filter(({ id }) => id === `lock ${item.user}` || id.startsWith(`lock ${item.user} `));
    for (const lock of locks) {
      const told = await through(lock, record.aes, half, item).catch(() => null); // of another secret
      if (told) return told;
    }
    return null;
  }
  async function through(lock, own, half, item) {
    const secret = await crypto.subtle.importKey("pkcs8", await decrypt(own, lock), CURVE, false, ["deriveKey"]);
    const aes = await crypto.subtle.deriveKey({ name: "ECDH", public: half }, secret, AES, false, ["decrypt"]);
    return value(await decrypt(aes, item));
  }

  /* What waits, the oldest first. A draft goes after a month; a form never by the phone's own clock. */
  async function unsent() {
    const items = await all("unsent");
    const isOld = (item) => item.kind === "draft" && item.at < Date.now() - MONTH;
    for (const old of items.filter(isOld)) await remove("unsent", old.id);
    return items.filter((item) => !isOld(item)).sort((a, b) => a.at - b.at);
  }

  return { key, adopt, wipe, keepPage, page, seal, unseal, unsent, get, put, remove };
})();
