// What pages with maps hear from the person who looks: a choice, gamma, and whether the crosshair is to be seen.
import { part } from '../page_parts'

export function onChange(selector: string, then: (value: string) => void): void {
  part<HTMLSelectElement>(selector).addEventListener('change', (event) => then((event.currentTarget as HTMLSelectElement).value))
}

export function onGamma(then: (gamma: number) => void): void {
  const slider = part<HTMLInputElement>('#gamma')
  slider.addEventListener('input', () => {
    part('#gamma-value').textContent = slider.value
    then(Number(slider.value))
  })
  // Back to 1, where colours are even steps of the value.
  slider.addEventListener('dblclick', () => {
    slider.value = '1'
    slider.dispatchEvent(new Event('input'))
  })
}

export function onCrosshair(then: (isShown: boolean) => void): void {
  part<HTMLInputElement>('#show-crosshair').addEventListener('change', (event) => then((event.currentTarget as HTMLInputElement).checked))
}
