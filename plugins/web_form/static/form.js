// A form where its script tag stands, or help for a form that the site has already
// (data-form="css selector"). It fails silently: a site's own form then works as before.
(() => {
"use strict";
const script = document.currentScript;
const quiet = (error) => "debug" in script.dataset && console.error("web form:", error);
try {
  const address = new URL(script.src);
  const account = (address.searchParams.get("form") || "").replace(/\D/g, "");
  const base = address.href.split("/form.js")[0] + "/" + account;
  const asked = script.dataset.lang || document.documentElement.lang || navigator.language || "en";

  const h = (tag, props, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (name in node) node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((one) => one));
    return node;
  };

  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");

  // A repeat after a lost answer carries the same id, so it is taken once.
  const attach = (form, config, say) => {
    let id = fresh();
    let busy = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      const button = form.querySelector("button:not([type=button]), input[type=submit]");
      if (button) button.disabled = true;
      const data = new FormData(form);
      data.set("_id", id);
      data.set("_start", config.start);
      data.set("_language", config.language);
      data.set("_page", location.href);
      data.set("_referrer", document.referrer);
      let error = config.texts.try_later;
      try {
        const answer = await fetch(base, { method: "POST", body: data, credentials: "omit", headers: { accept: "application/json" } });
        const result = await answer.json();
        if (answer.ok) {
          id = fresh();
          error = "";
          if (result.redirect) location.assign(result.redirect);
          else say(result.thanks, true);
        } else error = result.text || error;
      } catch (reason) {
        quiet(reason);
      }
      busy = false;
      if (button) button.disabled = false;
      if (error) say(error, false);
    });
  };

  const draw = (config) => {
    const host = h("dialog-hub-form");
    const shadow = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(config.style);
      shadow.adoptedStyleSheets = [sheet];
    } catch (_) {
      shadow.append(h("style", {}, config.style));
    }
    const note = h("p", { className: "error", role: "alert", hidden: true });
    const form = h("form", {});
    for (const field of config.fields) {
      const input = field.type === "textarea" ? h("textarea", { name: field.name, rows: 5, required: field.required })
        : h("input", { type: field.type, name: field.name, required: field.required, multiple: field.type === "file", autocomplete: field.autocomplete || "on" });
      form.append(h("label", {}, h("span", {}, field.label, field.required && h("i", { title: config.texts.required }, " *")), input));
    }
    form.append(h("div", { className: "trap", "aria-hidden": "true" }, h("label", {}, config.texts.trap, h("input", { name: config.trap_field, tabIndex: -1, autocomplete: "off" }))));
    if (config.consent) form.append(h("label", { className: "consent" }, h("input", { type: "checkbox", name: "consent", value: "yes", required: true }),
      h("span", {}, config.consent, " ", config.consent_link && h("a", { href: config.consent_link, target: "_blank", rel: "noopener" }, config.texts.more))));
    if (config.subscribe) form.append(h("label", { className: "consent" }, h("input", { type: "checkbox", name: "subscribe", value: "yes" }), h("span", {}, config.subscribe)));
    form.append(note, h("button", {}, config.texts.send));
    const box = h("div", { className: "form" }, config.intro && h("p", {}, config.intro), form);
    box.style.setProperty("--color", config.color);
    box.style.setProperty("--ink", config.ink);
    shadow.append(box);
    attach(form, config, (words, done) => {
      if (done) box.replaceChildren(h("p", { className: "thanks", role: "status" }, words));
      note.textContent = words;
      note.hidden = done;
    });
    if (script.closest("body")) script.after(host);
    else document.body.append(host);
  };

  const assist = (form, config) => {
    const trap = h("input", { name: config.trap_field, tabIndex: -1, autocomplete: "off", ariaHidden: "true" });
    trap.style.cssText = "position:absolute;width:1px;height:1px;opacity:0;pointer-events:none";
    form.append(trap);
    const note = h("p", { role: "status" });
    form.after(note);
    attach(form, config, (words, done) => {
      note.textContent = words;
      if (done) form.reset();
      form.dispatchEvent(new CustomEvent(done ? "dialoghub:sent" : "dialoghub:refused", { bubbles: true, detail: words }));
    });
  };

  const start = async () => {
    const answer = await fetch(base + "/config?lang=" + encodeURIComponent(asked.slice(0, 10)), { credentials: "omit" });
    if (!answer.ok) throw answer.status;
    const config = await answer.json();
    const target = script.dataset.form && document.querySelector(script.dataset.form);
    if (target) assist(target, config);
    else draw(config);
  };
  if (document.readyState === "loading" && script.dataset.form) addEventListener("DOMContentLoaded", () => start().catch(quiet));
  else start().catch(quiet);
} catch (error) {
  quiet(error);
}
})();
