// The way to the hub. Bodies are plain text or a form, so that browsers ask no leave first; the
// visitor's token travels in the body, never in an address that logs keep.

const BEAT = 60000;

async function ask(path, data, seconds) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), (seconds || 30) * 1000);
  try {
    return await fetch(path[0] === "/" ? root + path : base + path, {
      method: "POST",
      body: data instanceof FormData ? data : JSON.stringify(data),
      credentials: "omit",
      signal: stop.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// A wait that the network's return, a new visitor or a shown page cuts short.
let nudge = () => {};
const rest = (seconds) =>
  new Promise((done) => {
    nudge = done;
    setTimeout(done, seconds * 1000);
  });

// One tab of the browser holds the event stream and tells the others; when it goes, the next one
// takes over. Pages on plain http have no locks and share a lease in the storage instead.
function lead(work) {
  if (navigator.locks) {
    navigator.locks.request(PREFIX + "lead", () => new Promise(() => work(() => true))).catch(() => work(() => true));
    return;
  }
  const me = uid();
  let leading = false;
  const holds = () => leading;
  const tick = () => {
    const lease = load("lead", { until: 0 });
    const free = lease.until < Date.now() || lease.id === me;
    if (free) save("lead", { id: me, until: Date.now() + 6000 });
    const won = free && load("lead", { id: me }).id === me;
    if (won && !leading) {
      leading = true;
      work(holds);
    }
    leading = won;
  };
  setInterval(tick, 2000);
  addEventListener("pagehide", () => leading && save("lead", undefined));
  tick();
}

let away = false;
let current = null;
addEventListener("online", () => nudge());
addEventListener("offline", () => current && current.abort());
addEventListener("pagehide", () => {
  // A page that keeps a connection open cannot be kept for the back button.
  away = true;
  if (current) current.abort();
});
addEventListener("pageshow", () => {
  away = false;
  nudge();
});
document.addEventListener("visibilitychange", () => document.hidden || nudge());

async function listen(leading, heard) {
  let failures = 0;
  while (leading()) {
    const token = load("token");
    if (!token || away) {
      await rest(30);
      continue;
    }
    current = new AbortController();
    let watchdog;
    const alive = () => {
      clearTimeout(watchdog);
      const mine = current;
      watchdog = setTimeout(() => mine.abort(), BEAT);
    };
    try {
      alive();
      const answer = await fetch(base + "events", {
        method: "POST",
        body: JSON.stringify({ token }),
        credentials: "omit",
        signal: current.signal,
      });
      if (answer.status === 403) forget(token);
      if (!answer.ok) throw answer.status;
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      let buffer = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done || !leading() || load("token") !== token) break;
        alive();
        failures = 0;
        const blocks = (buffer + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
        buffer = blocks.pop();
        for (const block of blocks) {
          const kind = /^event: ?(\w+)/m.exec(block);
          const data = /^data: ?(.*)$/m.exec(block);
          if (kind && data) heard(kind[1], JSON.parse(data[1]).value);
        }
      }
      current.abort();
    } catch (_) {
      failures++;
    }
    clearTimeout(watchdog);
    heard("lost");
    // Spread out, so that a restarted hub is not met by everybody at once.
    await rest(Math.min(30, 2 ** failures) * (0.5 + Math.random()));
  }
}
