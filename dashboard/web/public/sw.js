// The worker's page without a network: its shell, and the pictures of tasks already seen.
//
// Tasks themselves and everything not yet sent are kept by the page. The rule that keeps an update from
// breaking it: with network the newest page is always used; a new shell replaces the old one only after
// every file of it has arrived, and old files are removed only after that.
'use strict';

const SHELL = 'shell-v1';
const PICTURES = 'pictures-v1';
const PAGE = '/worker';
const LIST = '/worker-shell.json';
// A page must open within a few seconds on a bad line; after this the kept shell is shown.
const PAGE_PATIENCE_MS = 4000;
// About two weeks of tasks for one worker, some 10 MB; older ones go first.
const PICTURES_KEPT = 80;
const EXTRAS = ['/manifest.webmanifest', '/icon.svg', '/icon-192.png'];

self.addEventListener('install', (event) => {
  event.waitUntil(renewShell().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => ![SHELL, PICTURES].includes(name)).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('message', (event) => {
  if (event.data === 'signed-out') event.waitUntil(caches.delete(PICTURES));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (url.pathname === PAGE || url.pathname.startsWith(`${PAGE}/`)) event.respondWith(openPage(event));
  } else if (url.pathname.startsWith('/assets/') || EXTRAS.includes(url.pathname)) {
    event.respondWith(keptFirst(request, SHELL));
  } else if (url.pathname.startsWith('/api/pictures/')) {
    event.respondWith(picture(request));
  }
});

async function openPage(event) {
  const fresh = fetch(event.request).then((answer) => {
    if (answer.ok) event.waitUntil(renewShell());
    return answer;
  });
  const kept = await caches.match(PAGE, { cacheName: SHELL });
  if (!kept) return fresh;
  const tooLate = new Promise((resolve) => setTimeout(() => resolve(kept.clone()), PAGE_PATIENCE_MS));
  return Promise.race([fresh, tooLate]).catch(() => kept);
}

async function renewShell() {
  const cache = await caches.open(SHELL);
  const [page, list] = await Promise.all([fetch(PAGE, { cache: 'no-store' }), fetch(LIST, { cache: 'no-store' })]);
  if (!page.ok || !list.ok) return;
  const files = [...(await list.json()).files, ...EXTRAS];
  for (const file of files) {
    if (!(await cache.match(file))) await cache.add(file);
  }
  await cache.put(PAGE, page);
  const wanted = new Set([...files, PAGE]);
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

async function keptFirst(request, name) {
  const kept = await caches.match(request, { cacheName: name });
  return kept ?? fetch(request);
}

async function picture(request) {
  const cache = await caches.open(PICTURES);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const all = await cache.keys();
    for (const old of all.slice(0, Math.max(0, all.length - PICTURES_KEPT))) await cache.delete(old);
  }
  return answer;
}
