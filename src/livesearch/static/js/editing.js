/* Editing in place, documents and users: what was typed into an open form is not lost to a search, a refresh or a closed window. */
(() => {
  'use strict';
  const FORM = 'form[data-edit-form]';
  // What was refused stands in its form as the server sent it back, and is not saved either.
  const isChanged = (form) => 'refused' in form.dataset || [...form.elements].some((field) => (
    field.matches('select') ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.matches('input:not([type=hidden]), textarea') && field.value !== field.defaultValue));
  const unsaved = () => [...document.querySelectorAll(`#results ${FORM}`)].find(isChanged);

  document.addEventListener('htmx:before:request', (event) => {
    const { sourceElement: source, target } = event.detail.ctx;
    const form = unsaved();
    const isResults = target === '#results' || target?.id === 'results';
    if (!form || !isResults || form.contains(source)) return;
    event.preventDefault();
    document.getElementById('error-container').textContent = 'You have changes that are not saved. Save or cancel them first.';
    form.scrollIntoView({ block: 'nearest' });
  });
  addEventListener('beforeunload', (event) => {
    if ([...document.querySelectorAll(FORM)].some((form) => isChanged(form) && !form.dataset.sent)) event.preventDefault();
  });
  document.addEventListener('submit', (event) => {
    if (event.target.matches(FORM)) event.target.dataset.sent = '1';
  });
  // Not taken: before the page goes, to sign in perhaps, whoever typed is asked.
  const keep = (event) => {
    const { sourceElement: source, response } = event.detail?.ctx ?? {};
    if (source?.matches?.(FORM) && (response?.status ?? 400) >= 400) delete source.dataset.sent;
  };
  document.addEventListener('htmx:after:request', keep);
  document.addEventListener('htmx:error', keep);

  /* ---- Focus stays where one was: on the row, or the document, whose form has gone. */
  let editedId = null;
  document.addEventListener('htmx:before:request', (event) => {
    const form = event.detail.ctx.sourceElement.closest?.(FORM);
    if (form) editedId = form.parentElement.id;
  });
  document.addEventListener('htmx:after:swap', () => {
    const edited = editedId && document.getElementById(editedId);
    if (!edited || edited.querySelector(FORM)) return;
    editedId = null;
    edited.querySelector('.edit-link, .edit-actions a')?.focus();
  });

  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-close-notice]')) document.getElementById('change-notice').replaceChildren();
    const close = event.target.closest('[data-close-form]');
    if (!close) return;
    event.preventDefault();
    document.getElementById('new-document').replaceChildren();
    document.querySelector('.new-link')?.focus();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.target.closest?.(FORM)?.querySelector('a.button')?.click();
  });
})();
