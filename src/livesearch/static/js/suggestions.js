/* The suggestion list: a combobox that never takes the caret from the search box. */
(() => {
  'use strict';
  const box = () => document.querySelector('input[role=combobox]');
  const list = () => document.getElementById('suggestions');
  const options = () => [...(list()?.children ?? [])];
  const isOpen = () => Boolean(list() && !list().hidden);
  const activeOption = () => list()?.querySelector('[aria-selected=true]') ?? null;
  // What was typed when the list was last put away: an answer to it comes too late.
  let dismissed = null;

  const close = () => {
    if (!list() || !box()) return;
    list().hidden = true;
    box().setAttribute('aria-expanded', 'false');
    activate(null);
  };
  const dismiss = () => {
    dismissed = box()?.value ?? null;
    close();
  };
  const activate = (option) => {
    for (const other of list().children) other.setAttribute('aria-selected', String(other === option));
    if (option) {
      box().setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else box().removeAttribute('aria-activedescendant');
  };
  const move = (step) => {
    // One place more than there are options: past either end, nothing is active and the typed text stands.
    const all = options();
    const position = all.indexOf(activeOption()) + 1 + step;
    activate(all[(position + all.length + 1) % (all.length + 1) - 1] ?? null);
  };
  const choose = (option) => {
    if (option.dataset.url) {
      location.assign(option.dataset.url);
      return;
    }
    box().value = option.dataset.text;
    dismiss();
    box().form.requestSubmit();
  };

  document.addEventListener('ls:typed', (event) => {
    const typedBox = event.target;
    if (!typedBox.matches('[role=combobox]')) return;
    if (!typedBox.value.trim()) { close(); return; }
    if (window.livesearch.preference('suggestions') === 'on') typedBox.dispatchEvent(new CustomEvent('ls:suggest'));
  });
  document.addEventListener('htmx:after:swap', (event) => {
    if (event.detail.ctx.sourceElement !== box() || !list()) return;
    const text = box().value;
    const isCurrent = list().dataset.query === text && text !== dismissed && document.activeElement === box();
    // Documents alone do not open it: they are the first results, just below.
    const saysMore = [...list().children].some((option) => !option.dataset.url);
    if (!isCurrent || !saysMore) { close(); return; }
    list().hidden = false;
    box().setAttribute('aria-expanded', 'true');
  });

  document.addEventListener('keydown', (event) => {
    if (event.target !== box() || !isOpen() || event.isComposing || event.keyCode === 229) return;
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Enter' && activeOption()) choose(activeOption());
    else if (event.key === 'Escape') dismiss();
    else return;
    event.preventDefault();
  });
  // The caret stays in the box while the mouse chooses.
  document.addEventListener('mousedown', (event) => {
    if (event.target.closest?.('#suggestions')) event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    const option = event.target.closest?.('#suggestions [role=option]');
    if (option) choose(option);
  });
  document.addEventListener('focusout', (event) => { if (event.target === box()) close(); });
  document.addEventListener('submit', (event) => { if (event.target === box()?.form) dismiss(); });
})();
