// What the visitor's browser remembers for one chat. All tabs of a site share it; where the
// browser denies storage the chat works all the same, for this page only.

const PREFIX = "dialoghub." + account + ".";
const memory = new Map();
const disk = (() => {
  try {
    const probe = PREFIX + "probe";
    localStorage.setItem(probe, "1");
    localStorage.removeItem(probe);
    return localStorage;
  } catch (_) {
    return null;
  }
})();

function load(name, fallback) {
  try {
    const text = disk ? disk.getItem(PREFIX + name) : memory.get(name);
    return text == null ? fallback : JSON.parse(text);
  } catch (_) {
    return fallback;
  }
}

function save(name, value) {
  const text = JSON.stringify(value);
  try {
    if (!disk) value === undefined ? memory.delete(name) : memory.set(name, text);
    else if (value === undefined) disk.removeItem(PREFIX + name);
    else disk.setItem(PREFIX + name, text);
  } catch (_) {
    // A full disk loses comfort, never the page.
  }
}

// Each unsent message has a key of its own, so that two tabs never overwrite each other's.
function unsent() {
  const names = disk ? Object.keys(disk) : [...memory.keys()].map((name) => PREFIX + name);
  const start = PREFIX + "out.";
  return names
    .filter((name) => name.startsWith(start))
    .map((name) => load(name.slice(PREFIX.length)))
    .filter((item) => item && item.id)
    .sort((a, b) => a.at - b.at);
}

function uid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

// Ids are 63-bit numbers in decimal: longer is larger.
function newer(a, b) {
  return a.length === b.length ? a > b : a.length > b.length;
}

let tabs = null;
try {
  tabs = new BroadcastChannel(PREFIX);
} catch (_) {
  // An old browser: each tab lives alone.
}

function tellTabs(kind, value) {
  if (tabs) tabs.postMessage({ kind, value });
}
