/* Preferences kept in this browser. Runs in the head before anything is drawn, so that the page never flashes. */
(() => {
  'use strict';
  const root = document.documentElement;
  const defaults = { theme: 'auto', shortcut: 'on', suggestions: 'on' };

  const read = (name) => {
    // Storage is refused in some private windows; the page then works with the defaults.
    try { return localStorage.getItem(`livesearch.${name}`) ?? defaults[name]; } catch { return defaults[name]; }
  };
  const write = (name, value) => {
    try { localStorage.setItem(`livesearch.${name}`, value); } catch { /* kept for this page only */ }
  };
  const showTheme = (theme) => {
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const showControls = (menu) => {
    for (const control of menu.querySelectorAll('[data-preference]')) {
      const value = read(control.dataset.preference);
      control.checked = control.type === 'radio' ? control.value === value : value === 'on';
    }
  };

  root.classList.add('js');
  showTheme(read('theme'));
  window.livesearch = { preference: read };

  document.addEventListener('toggle', (event) => {
    if (event.target.matches?.('.display-menu') && event.target.open) showControls(event.target);
  }, true);
  document.addEventListener('change', (event) => {
    const { preference } = event.target.dataset;
    if (!preference) return;
    const value = event.target.type === 'radio' ? event.target.value : (event.target.checked ? 'on' : 'off');
    write(preference, value);
    if (preference === 'theme') showTheme(value);
    if (preference === 'shortcut') root.classList.toggle('no-shortcut', value === 'off');
  });
  root.classList.toggle('no-shortcut', read('shortcut') === 'off');
  // What is laid over the page closes like a menu.
  document.addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('[data-menu][open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && document.querySelector('[data-menu][open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
    event.preventDefault();
  });
})();
