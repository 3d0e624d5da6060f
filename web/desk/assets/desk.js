// Keeps the desk's page up to date, and says so when it is not.
'use strict';
(() => {
  const silence = 4000; // ms without a word from the gate
  const live = document.getElementById('live');
  const lost = document.getElementById('lost');
  let stream, heard, retry;

  function connect() {
    heard = performance.now();
    stream = new EventSource('/desk/events');
    stream.addEventListener('view', (e) => {
      hear();
      const fresh = new DOMParser().parseFromString(e.data, 'text/html');
      live.replaceChildren(...fresh.body.childNodes);
    });
    stream.addEventListener('beat', hear);
    stream.onerror = lose;
  }

  function hear() {
    heard = performance.now();
    lost.hidden = true;
    document.body.classList.remove('lost');
  }

  // lose tries again until the gate answers. A session that has ended does not
  // come back: then the page must be loaded anew.
  function lose() {
    lost.hidden = false;
    document.body.classList.add('lost');
    stream.close();
    clearTimeout(retry);
    retry = setTimeout(connect, 2000);
  }

  if (location.search) history.replaceState(null, '', location.pathname); // a reload repeats no answer
  connect();
  setInterval(() => { if (stream.readyState !== EventSource.CLOSED && performance.now() - heard > silence) lose(); }, 1000);
  addEventListener('pageshow', (e) => { if (e.persisted) location.reload(); });
})();
