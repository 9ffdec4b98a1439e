// What the computation warned of, where its numbers are read.
import { element } from '../elements'

export function showWarnings(place: HTMLElement, warnings: readonly string[]): void {
  if (warnings.length === 0) return
  const count = warnings.length === 1 ? 'One thing' : `${warnings.length} things`
  place.querySelector('summary')?.replaceChildren(`${count} to know before these numbers are believed`)
  place.querySelector('ul')?.replaceChildren(...warnings.map((text) => element('li', {}, text)))
  place.hidden = false
}
