// The chat itself: who the visitor is, what was said, what still has to leave.

const known = new Map();
let older = false;
let older_busy = false;
let seen = load("seen", "0");
let refreshing = null;
let again = false;
let sending = false;
let settings = null;
let user = window.DialogHubUser || null;
const held = new Map();

function forget(token) {
  if (token && load("token") !== token) return;
  save("token", undefined);
  save("user", undefined);
  for (const item of unsent()) if (item.state === "sent") save("out." + item.id, undefined);
  known.clear();
  older = false;
}

const inOrder = (a, b) => a.at - b.at || (newer(a.id, b.id) ? 1 : -1);

function list() {
  const items = [...known.values()].sort(inOrder).map((one) => ({
    ...one,
    key: one.client_id || one.id,
    name: one.mine ? "" : one.name,
    state: "",
  }));
  const arrived = new Set(items.map((one) => one.key));
  for (const item of unsent()) {
    if (arrived.has(item.id)) save("out." + item.id, undefined);
    else items.push({ ...item, key: item.id, mine: true, files: (held.get(item.id) || item.files || []).map((one) => ({ name: one.name, size: one.size })) });
  }
  // Only the newest word of the visitor says how far it came; a person's answer says it itself.
  const last = items.filter((one) => one.mine && !one.state).pop();
  const answered = last && items.slice(items.indexOf(last)).some((one) => one.person);
  if (last && !answered) last.state = newer(last.id, seen) ? "sent" : "seen";
  let before = null;
  for (const item of items) {
    item.joined = !!before && before.mine === item.mine && before.name === item.name && item.at - before.at < 120000 && new Date(item.at).toDateString() === new Date(before.at).toDateString();
    before = item;
  }
  return items;
}

function render() {
  if (!view) return;
  view.show(list(), { older });
  const read = load("read", "0");
  view.showUnread([...known.values()].filter((one) => !one.mine && newer(one.id, read)).length);
}

async function introduce(values) {
  const answer = await ask("visitor", { token: load("token"), user, language: lang, ...values });
  if (answer.ok) {
    const { token } = await answer.json();
    save("token", token);
    if (user) save("user", String(user.id));
    if (values.consent) save("consent", settings.consent);
    save("met", true);
    tellTabs("visitor");
    nudge();
    return "";
  }
  const { error } = await answer.json();
  return error === "email" ? texts.bad_email : error === "slow" ? texts.slow : texts.try_later;
}

// What must be asked before the first word leaves, or null.
function missing() {
  const consent = settings.consent && load("consent") !== settings.consent ? settings.consent : "";
  const met = load("met", false) || user;
  const away = !settings.open && settings.ask_email !== "never" && !load("email");
  const asked = {
    consent,
    consent_link: settings.consent_link,
    name: !met && settings.ask_name,
    email: !user && (away || (!met && settings.ask_email === "always")),
    email_required: !user && away,
  };
  return asked.consent || asked.name || asked.email ? asked : null;
}

function compose(text, files, taken) {
  const go = () => {
    const item = { id: uid(), text, at: Date.now(), state: "sending", page: whereabouts() };
    if (files.length) {
      held.set(item.id, [...files]);
      item.files = files.map((one) => ({ name: one.name, size: one.size }));
    }
    save("out." + item.id, item);
    taken();
    tellTabs("changed");
    render();
    view.stick();
    flush();
  };
  const asked = missing();
  if (!asked) return go();
  view.askFirst(asked, async (values) => {
    try {
      const error = await introduce({ name: values.name || "", email: values.email || "", consent: !!values.consent });
      if (error) return error;
    } catch (_) {
      return texts.try_later;
    }
    if (values.email) save("email", values.email);
    go();
    return "";
  });
}

function retry(item) {
  const stored = load("out." + item.id);
  if (!stored) return;
  save("out." + item.id, { ...stored, state: "sending", reason: "" });
  render();
  flush();
}

// In order, one at a time; a repeat is harmless because the message keeps its id.
async function flush() {
  if (sending) return;
  sending = true;
  let tries = 0;
  try {
    for (;;) {
      const item = unsent().find((one) => one.state !== "failed" && one.state !== "sent");
      if (!item) break;
      const set = (changes) => (load("out." + item.id) && save("out." + item.id, { ...item, ...changes }), render());
      const files = held.get(item.id);
      if (item.files && !files) {
        // The files were in a page that is gone. Another tab may hold them still.
        if (Date.now() - item.at < 300000 && !item.lost) {
          set({ lost: true });
          await pause(3);
          continue;
        }
        set({ state: "failed", reason: texts.file_lost });
        continue;
      }
      let status = 0;
      let error = "";
      try {
        if (!load("token")) await introduce({});
        const data = { token: load("token"), kind: "message", id: item.id, text: item.text, at: item.at + settings.clock, page: item.page, language: lang };
        let body = data;
        if (files) {
          body = new FormData();
          body.append("data", JSON.stringify(data));
          for (const file of files) body.append("files", file, file.name);
        }
        const answer = await ask(settings.hook, body, files ? 600 : 30);
        status = answer.status;
        if (!answer.ok && status !== 403) error = ((await answer.json().catch(() => ({}))) || {}).error || "";
      } catch (_) {
        // No answer at all.
      }
      if (status >= 200 && status < 300) {
        // It stays as sent until the history shows it.
        save("out." + item.id, { ...item, state: "sent" });
        await refresh();
        held.delete(item.id);
        tries = 0;
        render();
      } else if (status === 403 && !tries++) {
        // The key of visitors was changed: a new name, the same words.
        forget();
      } else if (status === 422 && error === "consent" && !tries++) {
        save("consent", undefined);
        set({ state: "failed" });
      } else if (status === 413 || status === 422 || status === 403) {
        set({ state: "failed", reason: status === 413 ? texts.refused_large : "" });
        tries = 0;
      } else if (++tries > 4 && navigator.onLine !== false) {
        set({ state: "failed" });
        tries = 0;
      } else {
        set({ state: "waiting" });
        await Promise.race([pause(Math.min(30, 2 ** tries)), new Promise((done) => addEventListener("online", done, { once: true }))]);
      }
    }
  } finally {
    sending = false;
  }
}

async function refresh() {
  if (refreshing) {
    again = true;
    return refreshing;
  }
  refreshing = (async () => {
    do {
      again = false;
      const token = load("token");
      if (!token) break;
      const answer = await ask("history", { token });
      if (answer.status === 403) forget(token);
      if (!answer.ok) break;
      take(await answer.json(), "");
    } while (again);
  })().catch(oops);
  await refreshing;
  refreshing = null;
}

function take(page, before) {
  const messages = page.messages;
  const first = messages.length ? messages[0].at : 0;
  let news = false;
  for (const [key, one] of known) if (!before && one.at >= first) known.delete(key);
  const newest = load("newest", "0");
  let top = newest;
  for (const one of messages) {
    known.set(one.id, one);
    if (!one.mine && newer(one.id, top)) (top = one.id), (news = true);
  }
  if (before || known.size === messages.length) older = page.older;
  save("newest", top);
  if (news && !before) view.showTyping(false);
  if (news && newest !== "0" && load("sound", settings.sound) && (!view.isOpen() || document.hidden)) beep();
  acknowledge();
  render();
}

async function loadOlder() {
  if (!older || older_busy) return;
  older_busy = true;
  try {
    const first = [...known.values()].sort(inOrder)[0].id;
    const answer = await ask("history", { token: load("token"), before: first });
    if (answer.ok) take(await answer.json(), first);
  } finally {
    older_busy = false;
  }
}

// The browser's word on what it got and what was really looked at.
async function acknowledge() {
  const theirs = [...known.values()].filter((one) => !one.mine);
  const looked = view.isOpen() && !document.hidden;
  const marks = {};
  const tops = {};
  for (const word of looked ? ["delivered", "read"] : ["delivered"]) {
    const mark = load(word, "0");
    marks[word] = theirs.map((one) => one.id).filter((id) => newer(id, mark)).slice(-100);
    if (marks[word].length) tops[word] = marks[word].reduce((a, b) => (newer(a, b) ? a : b));
  }
  if (!Object.keys(tops).length) return;
  for (const word of Object.keys(tops)) save(word, tops[word]);
  if (tops.read) tellTabs("changed");
  const answer = await ask(settings.hook, { token: load("token"), kind: "ack", ...marks }).catch(() => null);
  // Not heard: said again with the next news.
  if (!answer || answer.status >= 500) save("delivered", undefined);
}

let typedAt = 0;
function typed(text) {
  save("draft", text || undefined);
  if (!text || !load("token") || Date.now() - typedAt < 4000) return;
  typedAt = Date.now();
  ask(settings.hook, { token: load("token"), kind: "typing", language: lang }).catch(() => {});
}

function opened(open) {
  save("open", open || undefined);
  if (!open) return;
  view.grow();
  render();
  acknowledge().catch(() => {});
  if (Date.now() - settings.loaded > 300000) configure().then(render, () => {});
}

let lostTimer;
function heard(kind, value) {
  if (kind === "hello" || kind === "lost") {
    clearTimeout(lostTimer);
    if (kind === "lost") lostTimer = setTimeout(() => view.status(texts.reconnecting, "lost"), 3000);
    else view.status(settings.hours || "");
  }
  if (kind === "hello" || kind === "changed" || kind === "visitor") {
    refresh().then(() => (render(), unsent().length && flush()));
  }
  if (kind === "typing") view.showTyping(value);
  if (kind === "seen") {
    refresh().then(() => {
      const mine = [...known.values()].filter((one) => one.mine).map((one) => one.id);
      const mark = /^[0-9]+$/.test(value || "") ? value : mine.reduce((a, b) => (newer(a, b) ? a : b), "0");
      if (newer(mark, seen)) save("seen", (seen = mark));
      render();
    });
  }
}

function beep() {
  try {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = 660;
    volume.gain.setValueAtTime(0.08, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.35);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
  } catch (_) {
    // Silence is fine.
  }
}

// Where the visitor is and where he came from, for the agent who answers.
function whereabouts() {
  let landing = null;
  try {
    landing = JSON.parse(sessionStorage.getItem(PREFIX + "landing"));
    if (!landing) {
      const utm = {};
      for (const [name, value] of new URLSearchParams(location.search)) if (/^utm_[a-z_]+$/.test(name)) utm[name] = value.slice(0, 200);
      landing = { landing: location.href, referrer: document.referrer, utm };
      sessionStorage.setItem(PREFIX + "landing", JSON.stringify(landing));
    }
  } catch (_) {
    landing = { referrer: document.referrer };
  }
  return { url: location.href, title: document.title.slice(0, 200), ...landing };
}

async function configure() {
  const answer = await fetch(base + "config?lang=" + lang, { credentials: "omit" });
  if (!answer.ok) throw answer.status;
  const fresh = await answer.json();
  fresh.loaded = Date.now();
  // One difference of clocks for all messages, so that their order stays as it was written.
  fresh.clock = fresh.now - fresh.loaded;
  settings = Object.assign(settings || {}, fresh);
  texts = settings.texts;
  lang = settings.language;
}

async function start() {
  whereabouts();
  await configure();
  if (document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
  view = makeView(settings);
  document.body.append(view.host);
  view.status(settings.hours || "");
  if (user && load("user") !== String(user.id)) forget();
  if (!user && load("user")) forget();
  if (user && !load("token") && !settings.consent) await introduce({}).catch(() => {});
  render();
  if (tabs) tabs.onmessage = guard((event) => {
    if (event.data.kind === "changed" || event.data.kind === "seen" || event.data.kind === "typing" || event.data.kind === "visitor" || event.data.kind === "hello" || event.data.kind === "lost") heard(event.data.kind, event.data.value);
  });
  lead((leading) => listen(leading, guard((kind, value) => {
    if (kind === "beat") return;
    heard(kind, value);
    tellTabs(kind, value);
  })).catch(() => {}));
  document.addEventListener("visibilitychange", guard(() => document.hidden || (refresh(), acknowledge())));
  refresh().then(flush).catch(oops);
  // Where it was open it is open again, unless it would cover the whole page.
  if ("open" in script.dataset || (load("open") && innerWidth > 480)) view.toggle(true, true);
}

window.DialogHub = {
  open: guard(() => view && view.toggle(true)),
  close: guard(() => view && view.toggle(false)),
  identify: guard((who) => {
    user = who;
    if (!view) return undefined;
    if (load("user") !== String(who.id)) forget();
    return introduce({}).then(refresh).then(render);
  }),
  logout: guard(() => {
    user = null;
    forget();
    for (const name of ["met", "email", "consent", "draft", "read", "delivered", "newest", "seen"]) save(name, undefined);
    if (current) current.abort();
    tellTabs("visitor");
    render();
  }),
};

start().catch(oops);
