// Keeps the guard's page up to date, greys it when the gate was not heard for
// two seconds (a frozen green must never look like a green), and lets a number
// pad press its buttons.
'use strict';
(() => {
  const silence = 2000; // ms without a word from the gate
  const live = document.getElementById('live');
  const lost = document.getElementById('lost');
  const spoken = document.getElementById('spoken');
  const source = new WeakMap(); // part -> the HTML it was made from
  let stream, heard, retry, lostAt;

  const now = () => ({ steady: performance.now(), wall: Date.now() });

  // The steady clock may stand still while the machine sleeps, and the wall
  // clock may be set. Whichever says more is believed.
  const age = () => Math.max(performance.now() - heard.steady, Math.abs(Date.now() - heard.wall));

  function connect() {
    heard = now();
    stream = new EventSource('/guard/events');
    stream.addEventListener('view', (e) => { if (hear()) show(e.data); });
    stream.addEventListener('beat', hear);
    stream.onerror = lose;
  }

  function lose() {
    if (lost.hidden) lostAt = performance.now();
    lost.hidden = false;
    live.inert = true;
    document.body.classList.add('lost');
    stream.close();
    clearTimeout(retry);
    retry = setTimeout(connect, 1000);
  }

  // hear takes a sign of life. One that comes after a silence may have waited
  // in a buffer while the machine slept: it proves nothing, so the stream is
  // given up and a new one begins with the present view.
  function hear() {
    if (age() > silence) {
      lose();
      return false;
    }
    heard = now();
    return true;
  }

  function check() {
    if (stream.readyState !== EventSource.CLOSED && age() > silence) lose();
    const gone = lost.hidden ? 0 : (performance.now() - lostAt) / 1000;
    for (const line of lost.querySelectorAll('.late')) {
      line.hidden = !(gone >= line.dataset.from && gone < line.dataset.to);
    }
  }

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, 'text/html');
    const before = said();
    for (const box of fresh.querySelectorAll('[data-parts]')) {
      replace(document.getElementById(box.id), box);
    }
    const news = [...said()].filter((s) => !before.has(s));
    if (news.length) spoken.textContent = news.join('. ');
    lost.hidden = true;
    live.inert = false;
    document.body.classList.remove('lost');
  }

  const said = () => new Set([...live.querySelectorAll('[data-say]')].map((lane) => lane.dataset.say));

  // replace changes only the parts of a box that differ, so that what somebody
  // is typing for one person survives the arrival of the next.
  function replace(box, fresh) {
    const old = new Map([...box.children].map((part) => [source.get(part), part]));
    const next = [...fresh.children].map((part) => old.get(part.outerHTML) || remember(document.importNode(part, true)));
    for (const part of [...box.children]) {
      if (!next.includes(part)) part.remove();
    }
    next.forEach((part, i) => {
      if (box.children[i] !== part) box.insertBefore(part, box.children[i] || null);
    });
  }

  function remember(part) {
    source.set(part, part.outerHTML);
    return part;
  }

  // A scanner that types is faster than a person: a key counts only if no
  // other came within so many ms before or after it.
  const machine = 60;
  let pending, last = -machine;

  const opened = () => [...live.querySelectorAll('details[open]')].pop();

  // target finds what a key presses: a choice of the open panel, or else the
  // button that bears the key; of several, the one behind the open panel.
  function target(key) {
    const panel = opened();
    const bear = (within) => [...within.querySelectorAll(`[aria-keyshortcuts="${CSS.escape(key)}"]`)].filter((e) => e.checkVisibility() || e.matches('.ticket > summary'));
    if (panel) {
      const choice = bear(panel).find((e) => e.parentNode !== panel);
      if (choice) return choice;
    }
    const all = bear(live);
    return all[(all.findIndex((e) => e.parentNode.open) + 1) % all.length];
  }

  function press(e) {
    if (e.ctrlKey || e.altKey || e.metaKey || e.repeat || live.inert) return;
    const typing = e.target instanceof HTMLInputElement;
    if (e.key === 'Escape' || (e.key === 'Backspace' && !(typing && e.target.value))) {
      const panel = opened();
      if (panel) panel.open = false;
      return;
    }
    const key = e.key.replace(/^F(?=[1-9]$)/, '').replace('=', '+');
    if (!/^[0-9.\/*+-]$/.test(key) || (typing && /[0-9.]/.test(e.key))) return;
    e.preventDefault();
    clearTimeout(pending);
    const steady = e.timeStamp - last >= machine;
    last = e.timeStamp;
    const button = target(key);
    if (steady && button) pending = setTimeout(() => { if (button.isConnected) button.click(); }, machine);
  }

  // A temperature is digits, whatever else is pressed while it is typed.
  function digits(e) {
    if (e.target.name === 'value' && /[^0-9.]/.test(e.data ?? '')) e.preventDefault();
  }

  // A panel that opens is typed into at once; one that closes takes those
  // inside it along.
  function toggled(e) {
    if (e.target.open) e.target.querySelector('input:not([type="hidden"])')?.focus();
    else for (const inner of e.target.querySelectorAll('details')) inner.open = false;
  }

  for (const part of live.querySelectorAll('[data-parts] > *')) remember(part);
  if (location.search) history.replaceState(null, '', location.pathname); // a reload repeats no answer
  setTimeout(() => document.getElementById('said')?.remove(), 10000);
  connect();
  setInterval(check, 500); // an interval and not a timeout: it fires soon after a sleep
  addEventListener('keydown', press);
  addEventListener('beforeinput', digits);
  document.addEventListener('toggle', toggled, true);
  addEventListener('pageshow', (e) => { if (e.persisted) lose(); });
  document.addEventListener('visibilitychange', check);
})();
