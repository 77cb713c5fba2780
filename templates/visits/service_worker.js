/* Answers for the pages where there is no signal. Without it everything works, with signal. */
"use strict";
importScripts({% for script in scripts %}"{{ script }}"{% if not forloop.last %}, {% endif %}{% endfor %});

const FILES = [{% for file in files %}"{{ file }}", {% endfor %}];
const OTHERWISE = "{% url 'offline_page' %}";
const CACHE = "drawn-with";
const PATIENCE = 8000; // one bar of signal: after that the kept page is better than none

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...FILES, OTHERWISE].map((file) => new Request(file, { cache: "reload", credentials: "omit" })))));
});
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  await self.clients.claim();
  const cache = await caches.open(CACHE);
  const wanted = new Set([...FILES, OTHERWISE].map((file) => new URL(file, location).href));
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
})()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event, url));
  else if (FILES.includes(url.pathname)) event.respondWith(drawnWith(event.request));
});
self.addEventListener("sync", (event) => { if (event.tag === "send") event.waitUntil(send()); });

async function send() {
  if ((await sending.send()) === "later") throw new Error("later"); // the browser tries again
}

async function page(event, url) {
  await phone.key().catch(() => null); // a log-in that ended takes the pages with it
  const kept = await phone.get("pages", url.pathname).catch(() => null);
  try {
    const signal = kept ? AbortSignal.timeout(PATIENCE) : undefined;
    const response = await fetch(event.request, { signal });
    if (response.ok && response.type === "basic" && !url.search) event.waitUntil(phone.keepPage(url.pathname, response.clone()));
    return response;
  } catch {
    const found = await phone.page(url.pathname).catch(() => null);
    return found ? asItWas(found) : otherwise();
  }
}

function asItWas(kept) {
  const html = kept.html.replace("<html ", `<html data-kept-at="${kept.at}" `);
  return new Response(html, { headers: [...kept.headers, ["content-type", "text/html; charset=utf-8"], ["cache-control", "no-store"]] });
}
const otherwise = async () => (await caches.match(OTHERWISE)) ?? Response.error();

async function drawnWith(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const found = await cache.match(request);
    if (found) return found;
    throw error;
  }
}
