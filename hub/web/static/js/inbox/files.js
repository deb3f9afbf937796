// @ts-check
// Files of the composer: by button, paste and drop; what the channel does not take is said
// before anything is uploaded.
import { _ } from 'hub/i18n';
import { chip, complain, toast, upload } from 'hub/api';

const pane = /** @type {HTMLElement} */ (document.getElementById('thread-pane'));
const NOTE_BYTES = 60e6;

/** Ids of the files that wait in the composer. */
export const fileIds = () => [...pane.querySelectorAll('#pending [data-file]')].map((one) => one.getAttribute('data-file'));
/** Whether a file is still on its way. */
export const isUploading = () => Boolean(pane.querySelector('#pending [aria-busy]'));

/** What is wrong with a file, in words; "" where it may go. */
function refusal(file, form) {
  const note = form.dataset.mode === 'note';
  const limit = note ? NOTE_BYTES : Math.min(Number(form.dataset.maxFile), NOTE_BYTES);
  const most = note ? 20 : Number(form.dataset.maxFiles) || 20;
  if (!limit) return _('This channel takes no files.');
  if (file.size > limit) return _('{name} is too large: this channel takes up to {n} MB', { name: file.name, n: limit < 1e6 ? (limit / 1e6).toFixed(1) : Math.floor(limit / 1e6) });
  if (fileIds().length >= most) return _('At most {n} files.', { n: most });
  const takes = (form.dataset.media || '*/*').split(',');
  const type = file.type || 'application/octet-stream';
  if (!note && !takes.some((one) => one === '*/*' || one === type || (one.endsWith('/*') && type.startsWith(one.slice(0, -1))))) return _('This channel does not take files like {name}.', { name: file.name });
  return '';
}

/** Take files into the composer of the open dialog. */
export async function addFiles(list, dialog, form, changed) {
  for (const file of list) {
    const why = refusal(file, form);
    if (why) { toast(why); continue; }
    const waits = chip(file.name || _('Picture'), 'drop-file');
    waits.setAttribute('aria-busy', 'true');
    pane.querySelector('#pending')?.append(waits);
    try {
      const kept = await upload(dialog, file);
      waits.replaceWith(chip(kept.name, 'drop-file', { file: kept.id }));
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
