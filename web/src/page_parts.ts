// What pages with much on them need again and again: their named parts, files to save, and what went wrong.
import { Refusal } from './api'
import { element } from './elements'

export function part<E extends HTMLElement = HTMLElement>(selector: string): E {
  const found = document.querySelector<E>(selector)
  if (!found) throw new Error(`the page lacks ${selector}`)
  return found
}

/** Has the browser save something. */
export function save(content: Blob, name: string): void {
  const link = element('a', { href: URL.createObjectURL(content), download: name })
  link.click()
  URL.revokeObjectURL(link.href)
}

/** Says on the page what went wrong, and what to do about it. */
export function complain(place: HTMLElement, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const next = error instanceof Refusal ? [element('p', {}, error.nextStep, ' ', element('code', {}, error.code))] : []
  const notice = element('div', { class: 'notice bad', role: 'alert' }, element('p', {}, element('strong', {}, message)), ...next)
  place.replaceChildren(notice)
}
