(() => {
  const faults = [];
  const say = (kind, element, what) => faults.push({ kind, where: name(element), what });
  const name = (e) => {
    const id = e.closest('[id]')?.id;
    return `${id ? '#' + id + ' ' : ''}${e.localName}${e.classList.length ? '.' + [...e.classList].join('.') : ''} "${e.textContent.trim().replace(/\s+/g, ' ').slice(0, 40)}"`;
  };
  const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest('.unseen, [inert]');
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  const mm = (() => {
    const ruler = document.body.appendChild(document.createElement('div'));
    ruler.style.cssText = 'position:absolute;width:calc(100 * var(--mm, 1mm))';
    const width = ruler.getBoundingClientRect().width / 100;
    ruler.remove();
    return width;
  })();

  // Rectangles of the text that an element holds, its children's included.
  const rects = (element) => {
    const found = [];
    const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      if (!node.data.trim() || !seen(node.parentElement) || getComputedStyle(node.parentElement).position === 'absolute') continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      found.push(...[...range.getClientRects()].filter((r) => r.width > 0));
    }
    return found;
  };
  const clips = (e) => getComputedStyle(e).overflowX !== 'visible';
  const scrolls = (e) => e.dataset.scroll === 'x' && getComputedStyle(e).overflowX === 'auto' && e.scrollWidth > e.clientWidth + 1;

  // held finds what clips an element's text or box, which is from left to right.
  const held = (element, left, right) => {
    for (let box = element; box; box = box.parentElement) {
      if (scrolls(box)) return; // the rest is reached by scrolling
      if (box !== document.documentElement && !clips(box)) continue;
      const hold = box === document.documentElement ? { left: 0, right: innerWidth } : box.getBoundingClientRect();
      if (left < hold.left - 1 || right > hold.right + 1) {
        say('outside', element, `from ${Math.round(left)} to ${Math.round(right)} px in ${name(box)} from ${Math.round(hold.left)} to ${Math.round(hold.right)} px`);
        return;
      }
    }
  };

  const cut = new Set();
  for (const line of all('[data-line]')) {
    const em = parseFloat(getComputedStyle(line).fontSize);
    const middles = rects(line).map((r) => (r.top + r.bottom) / 2);
    if (middles.length && Math.max(...middles) - Math.min(...middles) > 0.6 * em) say('wrapped', line, 'its text stands on several lines');
    if (line.dataset.line !== 'may-shrink' && line.clientWidth > 0 && line.scrollWidth > line.clientWidth + 1) {
      say('cut', line, `${line.scrollWidth} px in ${line.clientWidth} px`);
      cut.add(line);
    }
  }

  // Every text, of one line or of several, lies inside whatever clips it.
  const speaks = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()) && !e.closest('svg, script, style, noscript');
  for (const e of all('body *').filter(speaks)) {
    if (e.closest('[data-line="may-shrink"]') || cut.has(e)) continue;
    const texts = rects(e);
    if (!texts.length) continue;
    held(e, Math.min(...texts.map((r) => r.left)), Math.max(...texts.map((r) => r.right)));
  }

  for (const block of all('[data-block]')) {
    const box = block.getBoundingClientRect(), hold = block.parentElement.getBoundingClientRect();
    if (box.left < hold.left - 1 || box.right > hold.right + 1 || box.top < hold.top - 1 || box.bottom > hold.bottom + 1 || box.right > innerWidth + 1) {
      say('outside', block, 'it reaches beyond its parent');
    }
    if (block.dataset.block === 'screen' && (box.bottom > innerHeight + 1 || box.top < -1)) {
      say('outside', block, `it is ${Math.round(box.height)} px high on a screen of ${innerHeight} px`);
    }
    // Not scrollHeight: it counts the box of each glyph, which is higher than its line.
    const low = Math.max(...[...block.querySelectorAll('*')].filter(seen).map((e) => e.getBoundingClientRect().bottom));
    if (getComputedStyle(block).overflowY !== 'visible' && low > box.bottom + 1) {
      say('cut', block, `${Math.round(low - box.bottom)} px are reached by scrolling only`);
    }
    const parts = [...block.children].filter(seen).map((e) => ({ e, r: e.getBoundingClientRect() })).filter(({ r }) => r.width > 0 && r.height > 0);
    for (const [i, a] of parts.entries()) {
      for (const b of parts.slice(i + 1)) {
        const wide = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
        const high = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
        if (wide > 1 && high > 1) say('overlap', a.e, `lies over ${name(b.e)} by ${Math.round(wide)} × ${Math.round(high)} px`);
      }
    }
  }

  for (const target of all('button, a[href], summary, select, input:not([type="hidden"])')) {
    const box = (target.closest('label') || target).getBoundingClientRect();
    held(target, box.left, box.right);
    if (box.width < 20 * mm - 1 || box.height < 20 * mm - 1) {
      say('small', target, `${(box.width / mm).toFixed(1)} × ${(box.height / mm).toFixed(1)} mm`);
    }
  }

  const parse = (text) => {
    const [r, g, b, a = '1'] = text.match(/[\d.]+/g);
    return { c: [+r, +g, +b], a: +a };
  };
  const over = (top, c) => top.c.map((v, i) => v * top.a + c[i] * (1 - top.a));
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  // The grounds that may lie under an element: one, or each colour of a pattern.
  const grounds = (e) => {
    if (!e) return [[255, 255, 255]];
    const style = getComputedStyle(e);
    const pattern = style.backgroundImage.match(/rgba?\([^)]*\)/g);
    if (pattern) return pattern.map((p) => parse(p).c);
    const own = parse(style.backgroundColor);
    return own.a === 1 ? [own.c] : grounds(e.parentElement).map((c) => over(own, c));
  };
  const fade = (e) => (e ? +getComputedStyle(e).opacity * fade(e.parentElement) : 1);
  const typed = (e) => e.localName === 'input' && e.type !== 'hidden';
  for (const e of all('body *').filter((e) => speaks(e) || typed(e))) {
    for (const ground of grounds(e)) {
      const ink = parse(getComputedStyle(e).color);
      const l = [luminance(over({ c: ink.c, a: ink.a * fade(e) }, ground)), luminance(ground)].sort((a, b) => b - a);
      const ratio = (l[0] + 0.05) / (l[1] + 0.05);
      if (ratio < 4.5) {
        say('contrast', e, `${ratio.toFixed(2)}:1`);
        break;
      }
    }
  }

  // Unpacked, and without the stream, which never ends.
  const weight = performance.getEntries().reduce((sum, e) => sum + (e.decodedBodySize || 0), 0);
  if (weight > 150_000) say('heavy', document.body, `${Math.round(weight / 1000)} kB`);
  return faults;
})()
