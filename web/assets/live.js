// Keeps a page up to date: what stands in #live comes from the address in its
// data-events. Whatever was not heard of for two seconds is grey, out of reach
// and behind #lost: a frozen green must never look like a green.
'use strict';
(() => {
  const silence = 2000; // ms without a word from the program; it speaks once a second
  const look = 250;     // ms between two looks at the clock
  const live = document.getElementById('live');
  const lost = document.getElementById('lost');
  const source = new WeakMap(); // part -> the HTML it was made from
  let stream, heard, retry, lostAt;

  const now = () => ({ steady: performance.now(), wall: Date.now() });

  // The steady clock may stand still while the machine sleeps, and the wall
  // clock may be set. Whichever says more is believed.
  const age = () => Math.max(performance.now() - heard.steady, Math.abs(Date.now() - heard.wall));

  function connect() {
    heard = now();
    stream = new EventSource(live.dataset.events);
    stream.addEventListener('view', (e) => { if (hear()) show(e.data); });
    stream.addEventListener('beat', hear);
    stream.onerror = lose;
  }

  // lose tries again until the program answers. A session that has ended does
  // not come back: then the page must be loaded anew.
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

  // The parts that change one by one: those of the boxes with data-parts if
  // #live says so by data-boxes, and else its own children.
  const boxes = (within) => ('boxes' in live.dataset ? within.querySelectorAll('[data-parts]') : [within]);

  function show(html) {
    const fresh = new DOMParser().parseFromString(html, 'text/html');
    for (const box of boxes(fresh.body)) replace(document.getElementById(box.id) || live, box);
    lost.hidden = true;
    live.inert = false;
    document.body.classList.remove('lost');
    live.dispatchEvent(new Event('shown'));
  }

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

  for (const box of boxes(live)) [...box.children].forEach(remember);
  if (location.search) history.replaceState(null, '', location.pathname); // a reload repeats no answer
  connect();
  setInterval(check, look); // an interval and not a timeout: it fires soon after a sleep
  addEventListener('pageshow', (e) => { if (e.persisted) lose(); });
  document.addEventListener('visibilitychange', check);
})();
