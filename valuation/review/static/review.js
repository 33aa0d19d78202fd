// Keys, focus and announcements. The pages work without it: every key presses a button or follows a link that is there.
"use strict";

(() => {
  const inField = (node) => node instanceof Element && node.closest("input, textarea, select") !== null;
  const cards = () => [...document.querySelectorAll("[data-card]")];
  const current = () => {
    const held = document.activeElement instanceof Element ? document.activeElement.closest("[data-card]") : null;
    return held || document.querySelector("[data-card].current");
  };

  const focusOn = (card, scroll = true) => {
    if (!card) return;
    for (const one of cards()) one.classList.toggle("current", one === card);
    card.focus({ preventScroll: true });
    if (scroll) card.scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    const all = cards().filter((card) => card.dataset.card !== "session");
    if (!all.length) return;
    const at = all.indexOf(current());
    focusOn(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
  };

  const follow = (name) => {
    const link = document.querySelector(`[data-go="${name}"]`);
    if (link) link.click();
    return Boolean(link);
  };

  const field = (name) => {
    const found = document.querySelector(`[data-field="${name}"]`);
    if (found) { found.focus(); found.select(); }
    return Boolean(found);
  };

  const say = (text) => { document.getElementById("said").textContent = text; };

  let sending = false;  // a key pressed again before the answer is there is one verdict
  const press = (button) => {
    if (!button || sending) return;
    sending = true;
    button.click();
  };

  const TWICE = 200;  // milliseconds: the same key twice within so many is a key that bounced, not two verdicts
  let last = { key: "", at: -TWICE };
  const bounced = (event) => {
    const again = event.repeat || (event.key === last.key && event.timeStamp - last.at < TWICE);
    if (!event.repeat) last = { key: event.key, at: event.timeStamp };
    return again;
  };

  const verdict = (digit) => {
    const card = current();
    if (!card) return false;
    const button = card.querySelector(`button[data-key="${digit}"]`);
    if (!button) return false;
    say(`${button.textContent.trim().replace(/^\d\s*/, "")}: sent`);
    press(button);
    return true;
  };

  const note = () => {
    const card = current();
    const own = card && card.querySelector("details.note");
    if (!own) return field("note");
    own.open = true;
    own.querySelector("input").focus();
    return true;
  };

  const unfold = () => {
    const card = current();
    const more = card && card.querySelector(".text details");
    if (more) more.open = !more.open;
    return Boolean(more);
  };

  const pick = () => {
    const card = current();
    const link = card && card.querySelector("[data-pick]");
    if (link) link.click();
    return Boolean(link);
  };

  const KEYS = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
    s: () => focusOn(document.querySelector('[data-card="session"]')),
    u: () => press(document.querySelector("form[data-undo] button")),
    p: () => field("price"), n: note, m: unfold, v: () => follow("reveal"),
    "/": () => field("search") || follow("search"),
    Enter: () => pick() || follow("next"), ArrowRight: () => follow("next"), ArrowLeft: () => follow("before"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (inField(event.target)) {
      if (event.key === "Escape") { event.target.blur(); focusOn(event.target.closest("[data-card]")); }
      if (event.key === "Enter" && event.target.closest("form[data-card]")) {
        event.preventDefault();  // a form's first button would be a verdict that nobody chose
        focusOn(event.target.closest("[data-card]"));
      }
      return;
    }
    const onControl = event.target instanceof Element && event.target.closest("a, button, summary");
    if (onControl && (event.key === "Enter" || event.key === " ")) return;
    if (/^[1-5u]$|^Enter$/.test(event.key) && bounced(event)) { event.preventDefault(); return; }
    const done = /^[1-5]$/.test(event.key) ? verdict(event.key) : KEYS[event.key] ? KEYS[event.key]() !== false : false;
    if (done) event.preventDefault();
  });

  // the second click of a double one would fall on the next gig's button, or on the next session's
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("form[data-card] button, form[data-undo] button");
    if (button && event.detail > 1) { event.preventDefault(); event.stopPropagation(); }
  }, true);

  document.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element && event.target.closest("[data-card]");
    if (card) for (const one of cards()) one.classList.toggle("current", one === card);
  });

  const begin = () => {
    sending = false;
    const notice = document.querySelector("[data-say]");
    const wanted = document.querySelector("[data-focus], [autofocus]");
    if (wanted && wanted.matches("input")) { wanted.focus(); return; }
    if (wanted) focusOn(wanted, false);
    else { const main = document.getElementById("main"); if (main) main.focus({ preventScroll: true }); }
    // a session's text is read first; once a gig of it is judged, the next one is brought into view
    const begun = document.querySelector(".gig .mine") !== null;
    if (wanted && begun && wanted.getBoundingClientRect().bottom > window.innerHeight) wanted.scrollIntoView({ block: "nearest" });
    if (notice) say(notice.dataset.say);
  };

  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target && event.target.id === "page") begin(); });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => { sending = false; say("The server did not answer; nothing was kept. Try again."); alertLine(); });
  }
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  function alertLine() {
    let line = document.getElementById("lost");
    if (!line) {
      line = document.createElement("p");
      line.id = "lost";
      line.className = "fault";
      line.setAttribute("role", "alert");
      document.getElementById("main").prepend(line);
    }
    line.textContent = "The server did not answer; the last verdict was not kept. Try again.";
  }
})();
