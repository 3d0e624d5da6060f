// What the guard's page has beside live.js: it speaks what changes, and lets a
// number pad press its buttons.
'use strict';
(() => {
  const live = document.getElementById('live');
  const spoken = document.getElementById('spoken');

  // What a lane says is spoken once, when it is new.
  const said = () => new Set([...live.querySelectorAll('[data-say]')].map((lane) => lane.dataset.say));
  let before = said();

  function speak() {
    const now = said();
    const news = [...now].filter((s) => !before.has(s));
    if (news.length) spoken.textContent = news.join('. ');
    before = now;
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

  setTimeout(() => document.getElementById('said')?.remove(), 10000);
  live.addEventListener('shown', speak);
  addEventListener('keydown', press);
  addEventListener('beforeinput', digits);
  document.addEventListener('toggle', toggled, true);
})();
