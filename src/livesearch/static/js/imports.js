/* Uploads: a file that is too large is refused before it is sent. */
(() => {
  'use strict';
  document.addEventListener('change', (event) => {
    const limit = Number(event.target.form?.dataset.uploadLimit);
    if (event.target.type !== 'file' || !limit) return;
    const tooLarge = [...event.target.files].some((file) => file.size > limit);
    const sentence = tooLarge ? `This file is too large: ${limit / 1e6} MB at most. Compress it by gzip, or split it.` : '';
    event.target.setCustomValidity(sentence);
    event.target.reportValidity();
  });
})();
