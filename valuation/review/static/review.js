// Keys, focus and announcements. The pages work without it: every key presses a button or follows a link that is there.
"use strict";

(() => {
  const TWICE = 200;  // milliseconds: the same key twice within so many is a key that bounced, not two verdicts
  const PAUSE = 250;  // milliseconds: keys closer to each other were pressed in one go, without a look at what came
  const WRITING = 1000;  // milliseconds: the same of somebody who writes
  const inField = (node) => node instanceof Element && node.closest("input:not([type=checkbox]), textarea, select") !== null;
  const cards = () => [...document.querySelectorAll("[data-card]")];
  const gigs = () => cards().filter((card) => card.dataset.card !== "session");
  const unjudged = () => gigs().find((card) => !card.querySelector(".mine"));
  const current = () => {
    const held = document.activeElement instanceof Element ? document.activeElement.closest("[data-card]") : null;
    return held || document.querySelector("[data-card].current");
  };
  const isPage = (node) => node instanceof Element && node.id === "page";

  // which session is being judged, in which audit, as what; "" on every other page
  const shown = () => {
    const form = document.querySelector('form[data-card="session"]');
    if (!form) return "";
    return JSON.stringify(["audit", "session", "adjudicates"].map((name) => (form.elements.namedItem(name) || {}).value));
  };

  const focusOn = (card, scroll = true) => {
    if (!card) return;
    for (const one of cards()) one.classList.toggle("current", one === card);
    card.focus({ preventScroll: true });
    if (scroll) card.scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    const all = gigs();
    if (!all.length) return;
    const at = all.indexOf(current());
    // from the session as a whole: to what is still to be judged, for a digit would change a verdict that was given
    focusOn(at < 0 ? unjudged() || all[0] : all[Math.min(Math.max(at + by, 0), all.length - 1)]);
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

  // a line that everybody sees, above the page's content
  const tell = (text, ...more) => {
    let line = document.getElementById("lost");
    if (!line) {
      line = document.createElement("p");
      line.id = "lost";
      line.className = "fault";
      line.setAttribute("role", "alert");
      document.getElementById("main").prepend(line);
    }
    line.replaceChildren(text, ...more);
    if (window.htmx) window.htmx.process(line);
  };

  // The request under way that will bring another page. Keys pressed before that page is there wait for it: the card
  // that they are meant for is the one that will have the focus then.
  let busy = null;
  let waiting = [];
  let pressedAt = -PAUSE;  // when the last key was pressed
  let burst = null;  // keys that are not counted, while more of them may come: when the last was pressed, how long to wait

  const start = (node, button) => {
    const what = node.matches("form[data-card]") ? "verdict" : node.matches("form[data-undo]") ? "undo" : "";
    const { card } = node.dataset;
    const key = what === "undo" ? "u" : button && button.dataset.key;
    busy = { node, what, card, key, session: shown(), address: location.pathname + location.search };
    sent = new Map(what === "verdict" ? typed().filter((input) => input.form === node).map((input) => [input, input.value]) : []);
    if (what) node.setAttribute("aria-busy", "true");
    if (what === "verdict" && button) say(`${button.textContent.trim().replace(/^\d\s*/, "")}: sent`);
  };

  const stop = () => {
    const was = busy;
    busy = null;
    if (was) was.node.removeAttribute("aria-busy");
    return was;
  };

  // keys that waited for what did not come are for nothing, and so is what is still typed in the same go
  const forget = (pause = PAUSE) => {
    const some = waiting.some((one) => one.card || one.text || /^[1-5upn]$/.test(one.key));
    burst = { at: pressedAt, pause: waiting.some((one) => one.text) ? WRITING : pause };
    waiting = [];
    return some;
  };

  const NOT_DONE = { verdict: "the last verdict was not kept", undo: "nothing was taken back", "": "the page did not come" };
  const AGAIN = {
    verdict: "Give it again: the same verdict twice counts once. If that does not help, reload the page.",
    undo: "Try again. If that does not help, reload the page.",
    "": "Try again.",
  };
  const fail = (why) => {
    const was = stop();
    if (!was) return;
    sent = new Map();
    const more = forget() ? " Keys that you pressed after it were not counted." : "";
    say("");
    tell(`${why}; ${NOT_DONE[was.what]}. ${AGAIN[was.what]}${more}`);
  };

  // Prices and notes that were typed but not sent, by session: the page's own memory, gone when it is closed.
  const drafts = new Map();
  let sent = new Map();  // what is on its way, by field
  let typing = null;  // the field that somebody was writing in when the page was replaced

  const typed = () => [...document.querySelectorAll('form[data-card] :is(input[name="price"], input[name="note"])')];
  const nameOf = (input) => JSON.stringify([input.form.elements.namedItem("gig").value, input.name]);

  const remember = (kept) => {
    const session = shown();
    if (!session) return;
    const clean = (input) => (kept && sent.has(input) ? sent.get(input) : input.defaultValue);
    drafts.set(session, new Map(typed().filter((input) => input.value !== clean(input)).map((input) => [nameOf(input), input.value])));
    const held = typed().find((input) => input === document.activeElement);
    typing = held ? { session, name: nameOf(held), from: held.selectionStart, to: held.selectionEnd } : null;
  };

  const recall = () => {
    const mine = drafts.get(shown()) || new Map();
    for (const input of typed()) {
      if (!mine.has(nameOf(input))) continue;
      input.value = mine.get(nameOf(input));
      const folded = input.closest("details");
      if (folded) folded.open = true;
    }
  };

  // Who went on to a field while a page was awaited writes on in it. A verdict that waited has lost its card by that.
  const writeFirst = () => {
    const input = typing && typing.session === shown() ? typed().find((one) => nameOf(one) === typing.name) : null;
    if (!input) return false;
    input.focus({ preventScroll: true });
    input.setSelectionRange(typing.from, typing.to);
    const held = waiting.length;
    waiting = waiting.filter((one) => one.text);
    return waiting.length < held;
  };

  const bounces = /^[1-5u]$|^Enter$/;
  let last = { key: "", at: -TWICE };
  const bounced = (event) => {
    const again = event.repeat || (event.key === last.key && event.timeStamp - last.at < TWICE);
    if (!event.repeat) last = { key: event.key, at: event.timeStamp };
    return again;
  };

  const verdict = (digit, card = current()) => {
    const button = card && card.querySelector(`button[data-key="${digit}"]`);
    if (button) button.click();
    return Boolean(button);
  };

  const undo = () => {
    const button = document.querySelector("form[data-undo] button");
    if (button) button.click();
    return Boolean(button);
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
    u: undo, p: () => field("price"), n: note, m: unfold, v: () => follow("reveal"),
    "/": () => field("search") || follow("search"),
    Enter: () => pick() || follow("next"), ArrowRight: () => follow("next"), ArrowLeft: () => follow("before"),
  };
  for (const digit of "12345") KEYS[digit] = () => verdict(digit);
  const act = (key) => Object.hasOwn(KEYS, key) && KEYS[key]() !== false;

  // whether a key that waits will be a letter in a field: a price's digits are no verdicts
  const willType = () => {
    const before = waiting.at(-1);
    if (before && before.text) return !/^(Enter|Escape)$/.test(before.key);
    return typing !== null || (Boolean(before) && /^[pn]$/.test(before.key));
  };

  const wait = (event) => {
    const text = willType();
    if (text ? event.key.length > 1 && !/^(Enter|Escape|Backspace)$/.test(event.key) : !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    if (text || !bounces.test(event.key) || !bounced(event)) waiting.push({ key: event.key, text });
  };

  const write = (key) => {
    const input = document.activeElement;
    if (!inField(input)) return;
    const { selectionStart: from, selectionEnd: to } = input;
    if (/^(Enter|Escape)$/.test(key)) focusOn(input.closest("[data-card]"));
    else if (key === "Backspace") input.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
    else input.setRangeText(key, from, to, "end");
  };

  const goOn = () => {
    while (waiting.length && !busy) {
      const { key, text, card } = waiting.shift();
      if (text) write(key);
      else if (card) verdict(key, cards().find((one) => one.dataset.card === card));
      else act(key);
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    pressedAt = event.timeStamp;
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
    if (busy && busy.session) return wait(event);
    if (burst !== null) {
      burst = event.timeStamp - burst.at < burst.pause ? { ...burst, at: event.timeStamp } : null;
      if (burst !== null && Object.hasOwn(KEYS, event.key)) return event.preventDefault();
    }
    if (bounces.test(event.key) && bounced(event)) return event.preventDefault();
    if (act(event.key)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("form[data-card] button, form[data-undo] button");
    if (!button) return;
    // the second click of a double one would fall on the next gig's button, or on the next session's
    const twice = event.detail > 1;
    if (!twice && !busy) return;
    event.preventDefault();
    event.stopPropagation();
    if (twice || !busy.session) return;
    const clicked = button.dataset.key ? { key: button.dataset.key, card: button.form.dataset.card } : { key: "u" };
    const before = waiting.at(-1) || busy;
    if (before.key !== clicked.key || before.card !== clicked.card) waiting.push(clicked);
  }, true);

  document.addEventListener("submit", (event) => {
    if (event.target.closest("#page")) start(event.target, event.submitter);
  }, true);

  document.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element && event.target.closest("[data-card]");
    if (card) for (const one of cards()) one.classList.toggle("current", one === card);
  });

  const begin = () => {
    const was = stop();
    const same = Boolean(was) && was.what !== "" && was.session !== "" && was.session === shown();
    const wrote = typing !== null && !same;
    recall();
    focusFirst(was, same, wrote);
    const notice = document.querySelector("[data-say]");
    if (notice) say(notice.dataset.say);
    else if (document.querySelector('#page .fault[role="alert"]')) say("");  // it tells, and nothing was sent
    const ignored = same ? writeFirst() : (waiting.length || wrote) && forget(wrote ? WRITING : PAUSE);
    if (same) goOn();
    typing = null;
    if (was && was.what) tellUnsent(was, same, ignored);
    else if (ignored) tell(IGNORED);
  };

  const focusFirst = (was, same, wrote) => {
    let wanted = document.querySelector("[data-focus], [autofocus]");
    const whole = wanted && wanted.dataset.card === "session";
    if (same && whole && was.card && was.card !== "session") wanted = unjudged() || wanted;  // after a gig comes a gig
    if (wanted && wanted.matches("input")) { wanted.focus(); return; }
    if (wanted && !wrote) focusOn(wanted, false);
    else { const main = document.getElementById("main"); if (main) main.focus({ preventScroll: true }); }
    // a session's text is read first; once a gig of it is judged, the next one is brought into view
    const begun = document.querySelector(".gig .mine") !== null;
    if (wanted && begun && wanted.getBoundingClientRect().bottom > window.innerHeight) wanted.scrollIntoView({ block: "nearest" });
  };

  const IGNORED = "Keys that you pressed before this page was there were not counted.";
  const tellUnsent = (was, same, ignored) => {
    const left = same || !was.kept ? [] : [...(drafts.get(was.session) || new Map()).values()].filter((text) => text.trim());
    if (!left.length) { if (ignored) tell(IGNORED); return; }
    const back = document.createElement("a");
    back.href = was.address;
    back.textContent = "Go back to it";
    const words = left.map((text) => `“${text}”`).join(", ");
    tell(`${ignored ? `${IGNORED} ` : ""}You typed ${words} for the session before, which went with no verdict and is not kept. `, back, " to send it with one.");
  };

  // what is not one of our pages must not take a page's place: a proxy's own answer, a fault told in one line
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isPage(event.detail.target)) return;
    const { xhr, serverResponse } = event.detail;
    const page = new DOMParser().parseFromString(serverResponse || "", "text/html").getElementById("page");
    if (!page || !page.hasAttribute("hx-boost")) {
      event.preventDefault();
      const plain = (xhr.getResponseHeader("content-type") || "").startsWith("text/plain") && serverResponse.length < 200;
      fail(`The server answered ${xhr.status}${plain ? ` (${serverResponse.trim()})` : ""}, which is none of these pages`);
      return;
    }
    const kept = xhr.status < 400 && !new URL(xhr.responseURL, location.href).pathname.startsWith("/sign-in");
    if (busy) busy.kept = kept;
    if (busy && !kept) say("");
    remember(kept);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isPage(event.detail.target) && !busy) start(event.detail.elt);
  });
  document.addEventListener("htmx:afterSettle", (event) => { if (isPage(event.target)) begin(); });
  for (const name of ["htmx:sendError", "htmx:sendAbort", "htmx:timeout", "htmx:swapError", "htmx:onLoadError"]) {
    document.addEventListener(name, (event) => { if (isPage(event.detail.target)) fail("The server did not answer"); });
  }
  document.addEventListener("DOMContentLoaded", begin);
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
})();
