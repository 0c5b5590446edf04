/** Lets people look at the password that they type. */
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-reveals]')) {
  const input = document.getElementById(button.dataset['reveals'] ?? '')
  if (!(input instanceof HTMLInputElement)) continue
  const show = (visible: boolean) => {
    input.type = visible ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(visible))
  }
  button.hidden = false
  button.addEventListener('click', () => show(input.type === 'password'))
  // The browser offers to keep what was typed into a password field, not into a text field.
  input.form?.addEventListener('submit', () => show(false))
}

export {}
