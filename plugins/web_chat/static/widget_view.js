// What the visitor sees. Everything is built node by node with text, never with markup, so that
// nobody's words can become part of the page; it lives in a shadow root of its own.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: "M4 5h16v11H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M5 12l15-7-6 15-3-6z",
  clip: "M8 12l6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l7-7",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  bell: "M6 17v-6a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  mute: "M6 17v-6a6 6 0 0 1 12 0v6l2 1H4zM10 21h4M4 4l16 17",
};

function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), guard(value));
    else if (name in node && name !== "list" && name !== "role") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((one) => one != null && one !== false));
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A failure of ours must never become a failure of the site.
function guard(work) {
  return (...values) => {
    try {
      const result = work(...values);
      if (result && result.catch) result.catch(oops);
      return result;
    } catch (error) {
      return oops(error);
    }
  };
}

// Only addresses that start with http(s) become links; all else stays text.
function rich(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"'`\u202a-\u202e\u2066-\u2069]+/gi)) {
    const link = found[0].replace(/[.,;:!?)\]}»”]+$/, "");
    let href;
    try {
      href = new URL(link).href;
    } catch (_) {
      continue;
    }
    nodes.push(text.slice(end, found.index), h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, link));
    end = found.index + link.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

function size(bytes) {
  const unit = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return new Intl.NumberFormat(lang, { style: "unit", unit: unit[0], maximumFractionDigits: bytes < 1e6 ? 0 : 1 }).format(bytes / unit[1]);
}

function fileNode(file) {
  const href = file.path && base + file.path;
  const link = () =>
    h(href && file.ready ? "a" : "span", { className: "file", ...(href && file.ready ? { href, target: "_blank", rel: "noopener", download: file.name } : {}) },
      icon("file"), h("span", {}, h("b", { dir: "auto" }, file.name), h("small", {}, file.ready === false ? texts.file_wait : size(file.size))));
  if (!href || !file.ready || !/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return link();
  // A site's policy may forbid pictures from elsewhere: then it is a file like any other.
  const picture = h("a", { className: "picture", href, target: "_blank", rel: "noopener" },
    h("img", { src: href, alt: file.name, loading: "lazy", onerror: () => picture.replaceWith(link()), onload: () => view.stick() }));
  return picture;
}

function makeView(config) {
  const host = h("dialog-hub-chat");
  const shadow = host.attachShadow({ mode: "open" });
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    shadow.adoptedStyleSheets = [sheet];
  } catch (_) {
    shadow.append(h("style", {}, CSS));
  }
  const badge = h("span", { className: "badge", hidden: true });
  const launcher = h("button", { className: "launcher", type: "button", "aria-expanded": "false", "aria-label": texts.open, onclick: () => toggle(!isOpen) }, icon("chat"), icon("close"), badge);
  const status = h("small", { role: "status" });
  const sound = h("button", { type: "button", className: "quiet", onclick: () => setSound(!load("sound", config.sound)) });
  const log = h("ol", { className: "log", role: "log", "aria-live": "polite", "aria-label": texts.messages, tabIndex: 0, onscroll: () => log.scrollTop < 40 && loadOlder() });
  const typing = h("div", { className: "typing", hidden: true }, h("i"), h("i"), h("i"), h("span"));
  const note = h("p", { className: "note", role: "alert", hidden: true });
  const text = h("textarea", { rows: 1, maxLength: config.max_text, placeholder: texts.write, "aria-label": texts.write, dir: "auto",
    oninput: () => (grow(), typed(text.value)),
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    },
    onpaste: (event) => event.clipboardData.files.length && (event.preventDefault(), attach(event.clipboardData.files)) });
  const picker = h("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, "aria-hidden": "true", onchange: () => (attach(picker.files), (picker.value = "")) });
  const chosen = h("ul", { className: "chosen", hidden: true });
  const composer = h("form", { className: "composer", onsubmit: (event) => (event.preventDefault(), submit()) },
    config.files && h("button", { type: "button", className: "quiet", title: texts.attach, "aria-label": texts.attach, onclick: () => picker.click() }, icon("clip")),
    picker, text, h("button", { className: "send", title: texts.send, "aria-label": texts.send }, icon("send")));
  const panel = h("section", { className: "panel", role: "dialog", "aria-label": config.title || texts.title, hidden: true,
    onkeydown: (event) => {
      // The page's own keys must not hear what is typed here.
      event.stopPropagation();
      if (event.key === "Escape") toggle(false);
    },
    ondragover: (event) => config.files && event.preventDefault(),
    ondrop: (event) => config.files && (event.preventDefault(), attach(event.dataTransfer.files)) },
    h("header", {}, h("div", {}, h("strong", { dir: "auto" }, config.title || texts.title), status), sound,
      h("button", { type: "button", className: "quiet", title: texts.close, "aria-label": texts.close, onclick: () => toggle(false) }, icon("close"))),
    log, typing, note, chosen, composer);
  shadow.append(h("div", { className: "root " + config.position }, panel, launcher));
  const rootNode = shadow.firstElementChild || shadow.querySelector(".root");
  for (const kind of ["keypress", "keyup", "input", "paste"]) rootNode.addEventListener(kind, (event) => event.stopPropagation());

  const nodes = new Map();
  let isOpen = false;
  let stuck = true;
  let files = [];
  let pendingForm = null;
  let typingTimer;

  function paint() {
    const theme = config.theme === "auto" ? pageTheme() : config.theme;
    rootNode.classList.toggle("dark", theme === "dark");
    const color = script.dataset.color && /^#[0-9a-f]{6}$/i.test(script.dataset.color) ? script.dataset.color : config.color;
    rootNode.style.setProperty("--own", color);
    rootNode.style.setProperty("--own-ink", bright(color) > 0.4 ? "#10131a" : "#fff");
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = Math.min(text.scrollHeight, 120) + "px";
  }

  function stick() {
    if (stuck) log.scrollTop = log.scrollHeight;
  }

  function toggle(open, quietly) {
    if (open === isOpen) return;
    isOpen = open;
    paint();
    panel.hidden = !open;
    rootNode.classList.toggle("open", open);
    launcher.setAttribute("aria-expanded", String(open));
    if (!quietly) (open ? (pendingForm ? pendingForm.querySelector("input,button") : text) : launcher).focus({ preventScroll: true });
    stuck = true;
    stick();
    opened(open);
  }

  function say(words) {
    note.textContent = words || "";
    note.hidden = !words;
  }

  function attach(list) {
    say("");
    for (const file of list) {
      const total = files.reduce((sum, one) => sum + one.size, file.size);
      if (file.size > config.max_file || total > config.max_total) say(fill(texts.too_large, { name: file.name, max: size(config.max_file) }));
      else if (files.length >= config.max_files) say(fill(texts.too_many, { count: config.max_files }));
      else files.push(file);
    }
    showChosen();
    text.focus();
  }

  function showChosen() {
    chosen.hidden = !files.length;
    chosen.replaceChildren(...files.map((file) => h("li", {}, icon("file"), h("span", { dir: "auto" }, file.name), h("small", {}, size(file.size)),
      h("button", { type: "button", className: "quiet", "aria-label": texts.remove + " " + file.name, onclick: () => ((files = files.filter((one) => one !== file)), showChosen()) }, icon("close")))));
  }

  function submit(question) {
    const words = question || text.value.trim();
    if (!words && !files.length) return;
    say("");
    const wanted = question ? [] : files;
    compose(words, wanted, () => {
      if (!question) {
        text.value = "";
        files = [];
        grow();
        showChosen();
        typed("");
      }
    });
  }

  // Asked once, between the first words and their way out: consent, and how to reach the visitor.
  function askFirst(asked, done) {
    const field = (name, label, type, required) => h("label", {}, h("span", {}, label), h("input", { name, type, required, autocomplete: name, maxLength: 100 }));
    const form = h("form", { className: "first", onsubmit: async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      button.disabled = true;
      const error = await done(values);
      button.disabled = false;
      say(error);
      if (!error) endForm();
    } });
    const button = h("button", { className: "primary" }, texts.send);
    form.append(h("p", {}, asked.email_required ? texts.away_ask : texts.before),
      asked.name && field("name", texts.name, "text", false) || "",
      asked.email && field("email", texts.email, "email", asked.email_required) || "",
      asked.consent ? h("label", { className: "consent" }, h("input", { type: "checkbox", name: "consent", required: true }),
        h("span", { dir: "auto" }, asked.consent, asked.consent_link && " ", asked.consent_link && h("a", { href: asked.consent_link, target: "_blank", rel: "noopener" }, texts.more))) : "",
      h("div", { className: "row" }, button, h("button", { type: "button", className: "quiet", onclick: endForm }, texts.cancel)));
    if (pendingForm) pendingForm.remove();
    pendingForm = form;
    composer.hidden = true;
    composer.before(form);
    form.querySelector("input").focus();
    stick();
  }

  function endForm() {
    if (pendingForm) pendingForm.remove();
    pendingForm = null;
    composer.hidden = false;
    if (isOpen) text.focus();
  }

  function bubble(item) {
    const state = { sending: texts.sending, waiting: texts.waiting, failed: item.reason || texts.not_sent, sent: texts.sent, seen: texts.seen }[item.state];
    const time = new Date(item.at);
    const failed = item.state === "failed";
    return h("li", { className: (item.mine ? "mine " : "theirs ") + (item.state || "") + (item.joined ? " joined" : ""), ...(item.mine ? { "aria-live": "off" } : {}) },
      item.name && !item.joined && h("small", { className: "name", dir: "auto" }, item.name),
      h("span", { className: "hidden" }, item.mine ? texts.you : item.name || texts.agent, ": "),
      item.text && h("div", { className: "bubble", dir: "auto" }, ...rich(item.text)),
      ...(item.files || []).map(fileNode),
      failed ? h("button", { type: "button", className: "retry", onclick: () => retry(item) }, state)
        : (item.state || !item.joined) && h("small", { className: "when" }, state ? state + " · " : "", h("time", { dateTime: time.toISOString(), title: time.toLocaleString(lang) }, time.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" }))));
  }

  // Nodes whose words did not change stay as they are: a screen reader hears only what is new.
  function show(items, extra) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    stuck = stuck || atEnd;
    const wanted = [];
    const keep = new Set();
    const put = (key, signature, make) => {
      keep.add(key);
      const known = nodes.get(key);
      const node = known && known.signature === signature ? known.node : guard(make)();
      if (!node) return;
      if (known && known.node !== node) known.node.remove();
      nodes.set(key, { node, signature });
      wanted.push(node);
    };
    if (extra.older) put("older", "older", () => h("li", { className: "center" }, h("button", { type: "button", className: "quiet", onclick: loadOlder }, texts.older)));
    else put("hello", "hello" + config.greeting, () => h("li", { className: "theirs hello" }, h("div", { className: "bubble", dir: "auto" }, ...rich(config.greeting || texts.greeting))));
    if (!config.open) put("away", config.away + config.hours, () => h("li", { className: "center" }, h("p", { dir: "auto" }, config.away || texts.away), config.hours && h("small", { dir: "auto" }, config.hours)));
    let day = "";
    for (const item of items) {
      const date = new Date(item.at).toDateString();
      if (date !== day && items.length) put("day" + date, date + new Date().toDateString(), () => h("li", { className: "center day" }, dayName(new Date(item.at))));
      day = date;
      put(item.key, JSON.stringify([item.state, item.joined, item.text, item.name, item.files, item.reason]), () => bubble(item));
    }
    if (!items.length && config.questions.length) put("questions", "q", () => h("li", { className: "questions" }, ...config.questions.map((one) => h("button", { type: "button", dir: "auto", onclick: () => submit(one) }, one))));
    for (const [key, known] of nodes) if (!keep.has(key)) (known.node.remove(), nodes.delete(key));
    let place = log.firstChild;
    for (const node of wanted) {
      if (node === place) place = place.nextSibling;
      else log.insertBefore(node, place);
    }
    stick();
    stuck = false;
    stuck = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  }

  function showTyping(name) {
    clearTimeout(typingTimer);
    typing.lastChild.textContent = fill(texts.typing, { name: name || config.title || texts.agent });
    typing.hidden = name === false;
    typingTimer = setTimeout(() => (typing.hidden = true), 7000);
    stick();
  }

  function showUnread(count) {
    badge.hidden = !count;
    badge.textContent = count > 9 ? "9+" : String(count);
    launcher.setAttribute("aria-label", count ? texts.open + ", " + fill(texts.unread, { count }) : texts.open);
  }

  function setSound(on) {
    save("sound", on);
    sound.replaceChildren(icon(on ? "bell" : "mute"));
    sound.title = on ? texts.sound_off : texts.sound_on;
    sound.setAttribute("aria-label", sound.title);
    sound.setAttribute("aria-pressed", String(on));
  }

  setSound(load("sound", config.sound));
  text.value = load("draft", "");
  paint();
  return {
    host, show, say, stick, showTyping, showUnread, askFirst, toggle, grow,
    isOpen: () => isOpen,
    status: (words, kind) => ((status.textContent = words), (status.className = kind || "")),
  };
}

function dayName(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 864e5);
  if (days < 2) {
    const word = new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(-days, "day");
    return word[0].toUpperCase() + word.slice(1);
  }
  return date.toLocaleDateString(lang, { day: "numeric", month: "long", ...(days > 300 ? { year: "numeric" } : {}) });
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

function bright(color) {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// What the page looks like decides, and only then what the system prefers.
function pageTheme() {
  for (const node of [document.body, document.documentElement]) {
    const rgb = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) || []).map(Number);
    if (rgb.length >= 3 && (rgb.length < 4 || rgb[3] > 0.5)) return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] < 110 ? "dark" : "light";
  }
  const scheme = getComputedStyle(document.documentElement).colorScheme || "";
  return /dark/.test(scheme) && matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
