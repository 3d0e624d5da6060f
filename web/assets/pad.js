// Puts digits under the fields of a form, for a screen without a keyboard. A
// key types where the cursor was last; a keyboard works beside it.
'use strict';
(() => {
  for (const pad of document.querySelectorAll('.pad')) {
    const fields = [...pad.closest('form').querySelectorAll('input')];
    let last = fields.find((f) => f.autofocus) || fields[0];
    for (const f of fields) f.inputMode = 'none'; // a tablet need not show keys of its own

    const key = (text, change) => {
      const b = pad.appendChild(document.createElement('button'));
      b.type = 'button';
      b.textContent = text;
      b.addEventListener('pointerdown', (e) => e.preventDefault()); // the cursor stays where it is
      b.addEventListener('click', () => {
        if (fields.includes(document.activeElement)) last = document.activeElement;
        last.value = change(last.value).slice(0, last.maxLength);
      });
      return b;
    };
    for (const digit of '1234567890') key(digit, (text) => text + digit);
    const rub = key('⌫', (text) => text.slice(0, -1));
    rub.className = 'rub';
    rub.setAttribute('aria-label', pad.dataset.rubOut);
  }
})();
