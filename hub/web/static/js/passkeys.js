// @ts-check
// Passkeys: the browser makes one for the profile, or shows one at the login; the hub judges its answer.
const able = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);

/** @param {HTMLFormElement} form */
async function answer(form) {
  const asked = await fetch(form.dataset.options || '', { method: 'POST', body: new FormData(form), headers: { Accept: 'application/json' } });
  const options = await asked.json();
  if (!asked.ok) throw new Error(options.error, { cause: 'hub' });
  const given = form.dataset.passkey === 'create'
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(/** @type {PublicKeyCredential} */ (given).toJSON());
}

/** What went wrong, in the words that the page has for it. */
function words(error, said) {
  if (error.cause === 'hub') return error.message;
  if (error.name === 'NotAllowedError') return said.dataset.none;
  return error.name === 'InvalidStateError' ? said.dataset.known : said.dataset.failed;
}

/** @param {HTMLFormElement} form */
function wire(form) {
  const said = /** @type {HTMLElement} */ (form.querySelector('[data-said]'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'));
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.hidden = true;
    try {
      form.elements['credential'].value = await answer(form);
      form.submit();
    } catch (error) {
      said.textContent = words(error, said);
      said.hidden = false;
      button.disabled = false;
    }
  });
}

if (able) document.querySelectorAll('form[data-passkey]').forEach(wire);
else document.querySelectorAll('[data-unable]').forEach((one) => { one.hidden = false; });
