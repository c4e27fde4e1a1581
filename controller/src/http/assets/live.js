// Follows /api/v1/watch and asks for this page again when something changed. The server draws every row; this only
// replaces what differs, so that focus, selection and scrolling stay where they are.

const REFRESH_PAUSE = 1000;
const RECONNECT_PAUSE = 3000;
const link = document.getElementById("link");
const announcer = document.getElementById("announcer");
const search = document.getElementById("search");

let since = document.body.dataset.board;
let stream;
let refreshing = false;
let wanted = false;

// Makes `old` like `fresh`. Children with ids are matched by them, others by their place.
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh.cloneNode(true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute("data-keep") || old.isEqualNode(fresh)) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of fresh.childNodes) {
    let match = child.id ? known.get(child.id) : at;
    if (!child.id && match && match.id) match = null;
    if (!match) {
      old.insertBefore(child.cloneNode(true), at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    morph(match, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function healths() {
  return new Map([...document.querySelectorAll("[data-health][id]")].map((it) => [it.id, { ...it.dataset }]));
}

// Tells what changed to whoever cannot see the rows flash.
function announce(before) {
  const told = [];
  for (const [id, { name, health }] of healths()) {
    const was = before.get(id);
    if (!was || was.health === health) continue;
    told.push(`${name} is now ${health}`);
    const row = document.getElementById(id);
    row.classList.add("changed");
    setTimeout(() => row.classList.remove("changed"), 2500);
  }
  if (told.length > 3) announcer.textContent = `${told.length} services changed`;
  else if (told.length > 0) announcer.textContent = told.join(", ");
}

async function draw(announces) {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.redirected) {
    location.assign(response.url);
    return;
  }
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const before = healths();
  morph(document.getElementById("main"), fresh.getElementById("main"));
  document.title = fresh.title;
  if (fresh.body.dataset.board) since = fresh.body.dataset.board;
  if (announces) announce(before);
}

// One request at a time, at most one a second, and none while nobody looks.
async function refresh(announces = true) {
  wanted = true;
  if (refreshing || document.hidden) return;
  refreshing = true;
  while (wanted && !document.hidden) {
    wanted = false;
    try {
      await draw(announces);
    } catch {
      wanted = true;
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_PAUSE));
  }
  refreshing = false;
}

function say(state, words) {
  if (link.textContent === words) return;
  link.className = `link ${state}`;
  link.textContent = words;
}

function follow() {
  stream = new EventSource(`/api/v1/watch?since=${encodeURIComponent(since)}`);
  stream.addEventListener("start", () => say("live", "Live"));
  stream.addEventListener("synced", (event) => {
    // Something changed between the drawing of this page and now.
    if (event.lastEventId !== since) refresh();
  });
  for (const name of ["service", "serviceRemoved", "source", "sourceRemoved", "resync"]) {
    stream.addEventListener(name, (event) => {
      // What comes before the first id is part of the start, which `synced` judges.
      if (event.lastEventId || name === "resync") refresh();
    });
  }
  stream.addEventListener("error", () => {
    stream.close();
    say("lost", "Reconnecting");
    setTimeout(reconnect, RECONNECT_PAUSE);
  });
}

async function reconnect() {
  try {
    await draw(true);
    follow();
  } catch {
    setTimeout(reconnect, RECONNECT_PAUSE);
  }
}

// The words of the server, which draws the page without this script.
function ago(seconds) {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

function tick() {
  const now = Math.floor(Date.now() / 1000);
  for (const time of document.querySelectorAll("time")) {
    const words = ago(now - Math.floor(Date.parse(time.dateTime) / 1000));
    if (time.textContent !== words) time.textContent = words;
  }
}

// Filters while one types, in the same URL that the form would lead to.
function filter() {
  const params = new URLSearchParams([...new FormData(search)].filter(([, value]) => value !== ""));
  const query = params.toString();
  history.replaceState(null, "", query ? `/?${query}` : "/");
  refresh(false);
}

if (search) {
  let pause;
  search.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(filter, 250);
  });
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(pause);
    filter();
  });
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && wanted) refresh();
});
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) reconnect();
});
setInterval(tick, 10000);
follow();
