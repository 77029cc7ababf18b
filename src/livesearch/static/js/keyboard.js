/* Keys: “/” goes to the search box, arrows go through the results, Escape comes back. */
(() => {
  'use strict';
  const box = () => document.getElementById('q');
  const results = () => [...document.querySelectorAll('[data-result]')];
  const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
  const isField = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

  const focusBox = () => {
    box().focus();
    box().select();
  };
  const rove = (key) => {
    const all = results();
    const position = all.indexOf(document.activeElement);
    const next = { ArrowDown: position + 1, ArrowUp: position - 1, Home: 0, End: all.length - 1 }[key];
    if (next < 0) box().focus();
    else all[Math.min(next, all.length - 1)]?.focus();
  };

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || !box()) return;
    const { key, target } = event;
    // Some layouts type “/” with Shift, so that one modifier is no objection here.
    const isShortcut = key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !isField(target);
    if (isShortcut && window.livesearch.preference('shortcut') === 'on') focusBox();
    else if (hasModifier(event)) return;
    else if (target === box() && key === 'ArrowDown' && results().length) results()[0].focus();
    else if (target.matches('[data-result]') && ['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(key)) rove(key);
    else if (target.matches('[data-result]') && key === 'Escape') box().focus();
    else return;
    event.preventDefault();
  });
})();
