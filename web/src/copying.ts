// Buttons that copy the text of another element: `data-copy` says which.
const SAID_MS = 2000

export function installCopying(page: Document): void {
  page.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-copy]') : null
    const source = button && page.querySelector(button.dataset['copy'] ?? '')
    if (button && source) void copy(button, source)
  })
}

async function copy(button: HTMLElement, source: Element): Promise<void> {
  const label = button.dataset['label'] ?? button.textContent ?? ''
  button.dataset['label'] = label
  try {
    await navigator.clipboard.writeText(source.textContent ?? '')
    button.textContent = 'Copied'
  } catch {
    // Without https:// browsers keep the clipboard to themselves: mark the text, for the person to copy.
    getSelection()?.selectAllChildren(source)
    button.textContent = 'Marked: press Ctrl+C'
  }
  setTimeout(() => (button.textContent = label), SAID_MS)
}
