// The page that a link of a mail leads to: its secret stands in the fragment, and goes from there into the form.
const form = document.querySelector<HTMLFormElement>('#mail-link')
const input = form?.querySelector<HTMLInputElement>('[name=token]')
if (form && input) {
  const secret = decodeURIComponent(location.hash.slice(1))
  if (secret) {
    input.value = secret
    // Neither somebody who looks over a shoulder nor the list of visited pages needs to know it.
    history.replaceState(null, '', location.pathname)
  }
  const label = form.querySelector<HTMLElement>('[data-from-mail]')
  if (label && input.value && !document.querySelector('[role=alert]')) {
    label.hidden = true
    form.querySelector<HTMLInputElement>('[type=password]')?.focus()
  }
  form.dataset['ready'] = 'true'
}
