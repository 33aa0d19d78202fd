"use strict";
(() => {
  const VERDICTS = [
    ["comparable", "comparable"], ["session_larger", "session larger"], ["session_smaller", "session smaller"],
    ["wrong_kind", "wrong kind"], ["cant_say", "can't say"],
  ];
  const WORDS = Object.fromEntries(VERDICTS);
  const COLUMNS = ["session_id", "posting_id", "verdict", "price_usd", "better_posting_id", "analyst", "decided_at", "note"];
  const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}_ .'@+-]{0,58}[\p{L}\p{N}_.])?$/u; // as `audit import` takes them
  const NAMES = "1 to 60 letters, digits, spaces or .'@+-, beginning with a letter or digit, ending with one or a dot";
  const WHOLE = "";
  const WORTH = "None of these gigs is comparable. What is the session worth? A price (p) and a verdict, or 5 for can't say.";
  const data = JSON.parse(document.getElementById("data").textContent);
  const sessions = data.sessions;
  // a page for Ada and one for Bo, opened in one browser, keep apart what each of them says
  const store = JSON.stringify(["audit", data.version, data.audit, data.analyst, sessions.length ? sessions[0].id : ""]);
  const at = (id) => document.getElementById(id);

  // said: {session: {unit: {verdict, price, note, decided_at}}}; log: what undo goes back through, newest last
  let state = { name: data.analyst, keys: true, session: 0, unit: 0, said: {}, log: [] };

  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(store));
      if (kept && typeof kept === "object" && kept.said && Array.isArray(kept.log)) state = { ...state, ...kept };
    } catch (error) {
      warn("This browser keeps nothing between visits: save your verdicts to a file before you close the page.");
    }
    if (data.analyst) state.name = data.analyst;
    state.session = Math.min(Math.max(0, state.session | 0), Math.max(0, sessions.length - 1));
  }

  function keep() {
    try {
      localStorage.setItem(store, JSON.stringify(state));
    } catch (error) {
      warn("This browser keeps nothing between visits: save your verdicts to a file before you close the page.");
    }
  }

  function warn(text) {
    at("warning").textContent = text;
    at("warning").hidden = !text;
  }

  function make(tag, attributes, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
      else if (value !== null) element.setAttribute(name, value);
    }
    for (const one of inside) element.append(one); // strings become text, never markup
    return element;
  }

  const units = (session) => [...session.gigs.map((gig) => gig.id), WHOLE];
  const of = (session, unit) => (state.said[session.id] || {})[unit] || {};

  function put(session, unit, changes) {
    const mine = (state.said[session.id] = state.said[session.id] || {});
    mine[unit] = { ...mine[unit], ...changes };
  }

  // as on the served pages: judged as a whole, or every gig is and one of them is comparable
  function done(session) {
    return Boolean(of(session, WHOLE).verdict) || (all(session) && accepted(session));
  }

  const all = (session) => session.gigs.length > 0 && session.gigs.every((gig) => of(session, gig.id).verdict);
  const accepted = (session) => session.gigs.some((gig) => of(session, gig.id).verdict === "comparable");
  const asksWorth = (session) => all(session) && !done(session);

  const given = () => sessions.reduce((n, one) => n + units(one).filter((unit) => of(one, unit).verdict).length, 0);

  // verdicts that are there were somebody's: they do not become another's without a question
  function rename() {
    const name = at("name").value.trim();
    const count = given();
    if (count && name !== state.name) {
      const good = NAME.test(name);
      warn(good ? "" : `${name || "Nothing"} is no name for ${count} verdicts: ${NAMES}.`);
      const ask = `${count} verdicts on this page were given by ${state.name}. Are they ${name}'s?\n\n` +
        `Cancel leaves them with ${state.name}. Somebody else judges on a page exported for them, or in another browser.`;
      if (!good || !window.confirm(ask)) {
        at("name").value = state.name;
        return;
      }
    }
    state.name = name;
    keep();
  }

  function judge(session, unit, verdict) {
    if (!NAME.test(state.name)) {
      say("First say your name.");
      at("name").focus();
      return;
    }
    const before = of(session, unit);
    state.log.push({ session: state.session, unit, before: { verdict: before.verdict, decided_at: before.decided_at } });
    put(session, unit, { verdict, decided_at: new Date().toISOString() });
    advance(session, unit);
    keep();
    show(true);
    say(`${WORDS[verdict]}. ${sessions.every(done) ? "Every session is done: save your verdicts to a file." : place()}`);
  }

  // the next unit without a verdict; a session whose gigs are judged asks for its worth only if none was comparable
  function advance(session, unit) {
    const every = units(session);
    const next = every.findIndex((one, place) => place > every.indexOf(unit) && one !== WHOLE && !of(session, one).verdict);
    const skipped = every.findIndex((one) => one !== WHOLE && !of(session, one).verdict);
    if (unit !== WHOLE && (next >= 0 || skipped >= 0)) {
      state.unit = next >= 0 ? next : skipped;
    } else if (unit !== WHOLE && !done(session)) {
      state.unit = every.length - 1;
    } else {
      const later = sessions.findIndex((one, place) => place > state.session && !done(one));
      const open = later >= 0 ? later : sessions.findIndex((one) => !done(one));
      if (open < 0) return;
      state.session = open;
      state.unit = 0;
    }
  }

  function undo() {
    const last = state.log.pop();
    if (!last) return say("Nothing to undo.");
    const session = sessions[last.session];
    put(session, last.unit, { verdict: last.before.verdict, decided_at: last.before.decided_at });
    state.session = last.session;
    state.unit = Math.max(0, units(session).indexOf(last.unit));
    keep();
    show(true);
    say(`Undone. ${place()}`);
  }

  function place() {
    const session = sessions[state.session];
    const unit = units(session)[state.unit];
    const where = unit === WHOLE ? "the session as a whole" : `gig ${state.unit + 1} of ${session.gigs.length}`;
    return `Session ${state.session + 1} of ${sessions.length}, ${where}.${unit === WHOLE && asksWorth(session) ? ` ${WORTH}` : ""}`;
  }

  function say(text) {
    at("said").textContent = text;
  }

  function moveUnit(step) {
    const last = units(sessions[state.session]).length - 1;
    state.unit = Math.min(Math.max(0, state.unit + step), last);
    keep();
    show(true);
    say(place());
  }

  function moveSession(step) {
    const next = Math.min(Math.max(0, state.session + step), sessions.length - 1);
    if (next === state.session) return;
    state.session = next;
    state.unit = 0;
    keep();
    show(true);
    say(place());
  }

  function price(text) {
    const value = Number(text.trim());
    return text.trim() === "" ? null : Number.isFinite(value) && value > 0 && value <= 1e7 ? value : NaN;
  }

  function field(session, unit, name, label, attributes) {
    const input = make("input", {
      id: `${name}-${unit || "whole"}`, autocomplete: "off", ...attributes,
      on: {
        input: () => {
          put(session, unit, { [name]: input.value });
          const wrong = name === "price" && Number.isNaN(price(input.value));
          input.classList.toggle("bad", wrong);
          input.setAttribute("aria-invalid", String(wrong));
          keep();
          count();
        },
        focus: () => point(session, unit),
      },
    });
    input.value = of(session, unit)[name] || "";
    return make("label", {}, `${label} `, input);
  }

  function point(session, unit) {
    state.unit = Math.max(0, units(session).indexOf(unit));
    for (const element of document.querySelectorAll(".unit")) {
      element.classList.toggle("now", element.dataset.unit === unit);
    }
  }

  function folded(rest) {
    return rest ? [make("details", {}, make("summary", {}, "the rest of the text"), make("p", { class: "text" }, rest))] : [];
  }

  function buttons(session, unit, label) {
    const group = make("div", { class: "verdicts", role: "group", "aria-label": label });
    VERDICTS.forEach(([verdict, words], place) => {
      const pressed = of(session, unit).verdict === verdict;
      group.append(make("button", {
        type: "button", "aria-pressed": String(pressed), "aria-keyshortcuts": String(place + 1),
        on: { click: () => judge(session, unit, verdict), focus: () => point(session, unit) },
      }, `${place + 1} ${words}`));
    });
    return group;
  }

  function gigCard(session, gig, number) {
    const name = `Gig ${number} of ${session.gigs.length}`;
    const card = make("section", { class: "unit", tabindex: "-1", "aria-label": name },
      make("h3", {}, `${number}. `, gig.title), make("p", { class: "text" }, gig.lead), ...folded(gig.rest));
    if (gig.skills) card.append(make("p", { class: "skills text" }, gig.skills));
    card.append(buttons(session, gig.id, `Verdict on gig ${number}`));
    card.append(make("div", { class: "fields" }, field(session, gig.id, "note", "note", { maxlength: "4000" })));
    card.dataset.unit = gig.id;
    return card;
  }

  function wholeCard(session) {
    const title = session.gigs.length ? "The gigs taken together" : "No gig stands beside this session";
    const card = make("section", { class: "unit", tabindex: "-1", "aria-label": "The session as a whole" },
      make("h3", {}, title), ...(asksWorth(session) ? [make("p", { class: "ask" }, WORTH)] : []),
      buttons(session, WHOLE, "Verdict on the session as a whole"),
      make("div", { class: "fields" },
        field(session, WHOLE, "price", "What would it be offered for, in US dollars?", { inputmode: "decimal", maxlength: "20" }),
        field(session, WHOLE, "note", "note", { maxlength: "4000" })));
    card.dataset.unit = WHOLE;
    return card;
  }

  function show(focus) {
    const work = at("work");
    work.replaceChildren();
    count();
    if (!sessions.length) return work.append(make("p", {}, "There is no session in this audit."));
    const session = sessions[state.session];
    const every = units(session);
    state.unit = Math.min(Math.max(0, state.unit | 0), every.length - 1);
    work.append(
      make("h2", {}, `Session ${state.session + 1} of ${sessions.length}`),
      make("div", { class: "session" }, make("p", { class: "text" }, session.lead), ...folded(session.rest)));
    session.gigs.forEach((gig, place) => work.append(gigCard(session, gig, place + 1)));
    work.append(wholeCard(session));
    const back = make("button", { type: "button", on: { click: () => moveSession(-1) } }, "← session before");
    const on = make("button", { type: "button", on: { click: () => moveSession(1) } }, "next session →");
    back.disabled = state.session === 0;
    on.disabled = state.session === sessions.length - 1;
    work.append(make("div", { class: "steps" }, back, on));
    point(session, every[state.unit]);
    if (focus) current().focus();
  }

  const current = () => document.querySelector(".unit.now");

  function count() {
    const by = {};
    let loose = 0;
    for (const session of sessions) {
      for (const unit of units(session)) {
        const one = of(session, unit);
        if (one.verdict) by[one.verdict] = (by[one.verdict] || 0) + 1;
        else if ((one.price || "").trim() || (one.note || "").trim()) loose += 1;
      }
    }
    const unanswered = sessions.filter(asksWorth).length;
    const said = VERDICTS.map(([verdict, words]) => `${by[verdict] || 0} ${words}`).join(", ");
    at("count").textContent = `${sessions.filter(done).length} of ${sessions.length} sessions done: ${said}` +
      (unanswered ? `; ${unanswered} with no comparable gig, whose worth is still to be said` : "") +
      (loose ? `; ${loose} with a price or note but no verdict, which will not be saved` : "");
  }

  function cell(text) {
    const value = text === null || text === undefined ? "" : String(text);
    const safe = /^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value; // a spreadsheet would run it
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function rows() {
    const found = [];
    let wrong = 0;
    for (const session of sessions) {
      for (const unit of units(session)) {
        const one = of(session, unit);
        if (!one.verdict) continue;
        const value = price(one.price || "");
        if (Number.isNaN(value)) wrong += 1;
        found.push([session.id, unit, one.verdict, Number.isNaN(value) ? null : value, null, state.name, one.decided_at, one.note || null]);
      }
    }
    return { found, wrong };
  }

  function save() {
    const { found, wrong } = rows();
    if (!NAME.test(state.name)) {
      warn(`First say your name: ${NAMES}.`);
      return at("name").focus();
    }
    if (wrong) return warn(`${wrong} price is not a plain number above 0, such as 149.50: mend it, then save.`);
    warn("");
    const text = [COLUMNS, ...found].map((row) => row.map(cell).join(",")).join("\n") + "\n";
    const link = make("a", { download: `verdicts-${data.audit}-${state.name.replace(/[^\p{L}\p{N}]+/gu, "-")}.csv` });
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    document.body.append(link);
    link.click();
    setTimeout(() => { URL.revokeObjectURL(link.href); link.remove(); }, 10000);
    say(`${found.length} verdicts saved.`);
  }

  function pressed(event) {
    const typing = event.target.matches("input:not([type=checkbox])");
    if (event.key === "Escape" && typing) return current() && current().focus();
    if (typing || !state.keys || event.ctrlKey || event.metaKey || event.altKey || !sessions.length) return;
    const session = sessions[state.session];
    const unit = units(session)[state.unit];
    const acts = {
      u: undo, j: () => moveUnit(1), ArrowDown: () => moveUnit(1), k: () => moveUnit(-1), ArrowUp: () => moveUnit(-1),
      ArrowRight: () => moveSession(1), ArrowLeft: () => moveSession(-1),
      n: () => current().querySelector("[id^=note-]").focus(), p: () => at("price-whole").focus(),
    };
    VERDICTS.forEach(([verdict], place) => { acts[String(place + 1)] = () => judge(session, unit, verdict); });
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
    if (!act || event.repeat && "12345u".includes(event.key)) return;
    event.preventDefault();
    act();
  }

  load();
  at("audit").textContent = data.audit;
  at("name").value = state.name;
  at("name").readOnly = Boolean(data.analyst); // the order of gigs is theirs, and so is what is kept
  at("name").addEventListener("change", rename);
  at("keys").checked = state.keys;
  at("keys").addEventListener("change", () => { state.keys = at("keys").checked; keep(); });
  at("save").addEventListener("click", save);
  document.addEventListener("keydown", pressed);
  show(false);
})();
