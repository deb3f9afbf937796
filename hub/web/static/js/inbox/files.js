// @ts-check
// Files of the composer: by button, paste and drop; what the channel does not take is said
// before anything is uploaded.
import { _ } from 'hub/i18n';
import { chip, complain, toast, upload } from 'hub/api';

const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));

/** Ids of the files that wait in the composer. */
export const fileIds = () => [...pane.querySelectorAll('#pending [data-file]')].map((one) => one.getAttribute('data-file'));
/** Whether a file is still on its way. */
export const isUploading = () => Boolean(pane.querySelector('#pending [aria-busy]'));

const megabytes = (bytes) => bytes < 1e6 ? (bytes / 1e6).toFixed(3).replace(/0+$/, '') : Math.floor(bytes / 1e6);

/** What is wrong with a file, in words; "" where it may go. */
function refusal(file, form) {
  const note = form.dataset.mode === 'note';
  const type = (file.type || 'application/octet-stream').split(';')[0].trim().toLowerCase();
  const fits = (one) => one === '*/*' || one === type || (one.endsWith('/*') && type.startsWith(one.slice(0, -1)));
  const narrower = (form.dataset.mediaLimits || '').split(',').map((one) => one.split('=')).find(([one]) => one && fits(one));
  const hub = Number(form.dataset.hubFile);
  const limit = note ? hub : Math.min(Number(narrower ? narrower[1] : form.dataset.maxFile), Number(form.dataset.maxFile), hub);
  const most = note ? 20 : Number(form.dataset.maxFiles) || 20;
  const together = note ? 0 : Number(form.dataset.maxTotal);
  const waiting = [...pane.querySelectorAll('#pending [data-size]')].reduce((sum, one) => sum + Number(one.getAttribute('data-size')), 0);
  if (!limit) return _('This channel takes no files.');
  if (!note && !(form.dataset.media || '*/*').split(',').some(fits)) return _('This channel does not take files like {name}.', { name: file.name });
  if (file.size > limit) return _('{name} is too large: this channel takes up to {n} MB', { name: file.name, n: megabytes(limit) });
  if (fileIds().length >= most) return _('At most {n} files.', { n: most });
  if (together && waiting + file.size > together) return _('Too much at once: this channel takes {n} MB of files in one message', { n: megabytes(together) });
  return '';
}

/** Take files into the composer of the open dialog. */
export async function addFiles(list, dialog, form, changed) {
  for (const file of list) {
    const why = refusal(file, form);
    if (why) { toast(why); continue; }
    const waits = chip(file.name || _('Picture'), 'drop-file');
    waits.setAttribute('aria-busy', 'true');
    waits.setAttribute('data-size', String(file.size));
    pane.querySelector('#pending')?.append(waits);
    try {
      const kept = await upload(dialog, file);
      waits.replaceWith(chip(kept.name, 'drop-file', { file: kept.id, size: kept.size }));
      changed();
    } catch (error) { waits.remove(); complain(error); }
  }
}

/** Listen to paste, drop and the button. */
export function startFiles(current, form, changed) {
  const take = (list) => { const here = form(); const id = current(); if (here && id && list.length) addFiles([...list], id, here, changed); };
  pane.addEventListener('paste', (event) => {
    const list = event.clipboardData?.files || [];
    if (list.length && /** @type {HTMLElement} */ (event.target).id === 'text') { event.preventDefault(); take(list); }
  });
  pane.addEventListener('dragover', (event) => { if (event.dataTransfer?.types.includes('Files')) { event.preventDefault(); pane.classList.add('dropping'); } });
  pane.addEventListener('dragleave', (event) => { if (!pane.contains(/** @type {Node} */ (event.relatedTarget))) pane.classList.remove('dropping'); });
  pane.addEventListener('drop', (event) => { if (event.dataTransfer?.files.length) { event.preventDefault(); pane.classList.remove('dropping'); take(event.dataTransfer.files); } });
  pane.addEventListener('change', (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.id === 'files') { take([...(input.files || [])]); input.value = ''; }
  });
}
