// Noise as drawings: matrices between coils, bars for each. Every cell and bar says what it is when pointed at.
import { element } from '../elements'
import { digits } from '../maps/window'
import type { Matrix } from './npz'

const SVG = 'http://www.w3.org/2000/svg'
/** Sides of cells and widths of bars, in pixels: as large as fits a card, and small enough for many coils. */
const SPACE = 340
const [SMALLEST, LARGEST] = [7, 40]
const HEIGHT = 140
/** Room for names and numbers beside a drawing. */
const MARGIN = 84
const LETTER = 11
const LONGEST_NAME = 12
/** A coil this many times louder or quieter than the median is marked; the report does the same. */
const ODD = 3
// Ends and middle of viridis, from dark to bright.
const RAMP = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const

export function colourOf(part: number): string {
  const at = Math.min(1, Math.max(0, part)) * (RAMP.length - 1)
  const [low, high] = [RAMP[Math.floor(at)], RAMP[Math.ceil(at)]] as [readonly number[], readonly number[]]
  const mixed = low.map((value, index) => Math.round(value + ((high[index] as number) - value) * (at % 1)))
  return `rgb(${mixed.join(' ')})`
}

/** A horizontal bar of the colours, with the values at its ends. */
export function scaleFigure(low: string, high: string): HTMLElement {
  const ramp = element('span', { class: 'ramp' })
  ramp.style.background = `linear-gradient(to right, ${RAMP.map((colour) => `rgb(${colour.join(' ')})`).join(',')})`
  return element('p', { class: 'colour-scale', role: 'img', 'aria-label': `Colours from ${low} to ${high}` }, element('span', {}, low), ramp, element('span', {}, high))
}

/** Draws the magnitude of a matrix between coils, over its largest value or `top`, with the names of the coils. */
export function matrixFigure({ n, re, im }: Matrix, names: readonly string[], label: string, top?: number): SVGSVGElement {
  const magnitude = magnitudes({ n, re, im })
  const most = top ?? Math.max(...magnitude)
  const cell = cellFor(n)
  const figure = drawing(MARGIN + n * cell, n * cell + MARGIN, label)
  magnitude.forEach((value, index) => {
    const [row, column] = [Math.floor(index / n), index % n]
    const phase = (Math.atan2(im[index] as number, re[index] as number) * 180) / Math.PI
    const angle = row === column ? '' : `, ${phase.toFixed(0)}°`
    const title = `${names[row]} × ${names[column]}: ${digits(value)}${angle}`
    const place = { x: MARGIN + column * cell, y: row * cell, width: cell, height: cell }
    figure.append(shape('rect', { ...place, fill: colourOf(most ? value / most : 0) }, title))
  })
  named(names, cell).forEach(([name, index]) => figure.append(text(name, MARGIN - 5, (index + 0.5) * cell, 'end')))
  figure.append(...columnNames(names, cell, n * cell))
  return figure
}

export const magnitudes = ({ re, im }: Matrix): number[] => [...re].map((value, index) => Math.hypot(value, im[index] as number))

/** Draws one bar a value with the median as a line; those unlike the others are marked. */
export function barFigure(values: readonly number[], names: readonly string[], label: string, isMarked: boolean): SVGSVGElement {
  const middle = median(values)
  const top = Math.max(...values, isMarked ? 2 * middle : 0) || 1
  const cell = cellFor(values.length)
  const width = values.length * cell
  const figure = drawing(MARGIN + width, HEIGHT + MARGIN, label)
  for (const part of [0, 0.5, 1]) {
    const y = LETTER + (HEIGHT - LETTER) * (1 - part)
    figure.append(line(MARGIN, MARGIN + width, y, 'grid'), text(digits(part * top, 3), MARGIN - 5, y, 'end'))
  }
  const yOf = (value: number): number => LETTER + (HEIGHT - LETTER) * (1 - Math.max(0, value) / top)
  values.forEach((value, index) => {
    const odd = isMarked && isOdd(value, middle)
    const gap = Math.max(0.5, cell / 8)
    const tall = Math.max(HEIGHT - yOf(value), 0.5)
    const place = { x: MARGIN + index * cell + gap, y: HEIGHT - tall, width: cell - 2 * gap, height: tall, class: odd ? 'odd' : 'bar-part' }
    figure.append(shape('rect', place, `${names[index]}: ${digits(value)}${odd ? ', unlike the others' : ''}`))
  })
  if (isMarked) figure.append(line(MARGIN, MARGIN + width, yOf(middle), 'middle', `median: ${digits(middle)}`))
  figure.append(...columnNames(names, cell, HEIGHT))
  return figure
}

const cellFor = (n: number): number => Math.min(LARGEST, Math.max(SMALLEST, SPACE / n))

/** As many names as can be read beside cells of this size, shortened, with their places. */
function named(names: readonly string[], cell: number): (readonly [string, number])[] {
  const step = Math.ceil((LETTER + 1) / cell)
  const shown = withoutPrefix(names).map((name) => (name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name))
  return shown.map((name, index) => [name, index] as const).filter(([, index]) => index % step === 0)
}

/** What tells names apart: what all of them begin with, up to a sign such as `:`, is left out. */
export function withoutPrefix(names: readonly string[]): string[] {
  const [first = ''] = names
  let n = first.length
  for (const name of names) while (!name.startsWith(first.slice(0, n))) n -= 1
  const prefix = /^.*[^A-Za-z0-9]/.exec(first.slice(0, n))?.[0] ?? ''
  return names.map((name) => name.slice(prefix.length) || name)
}

function columnNames(names: readonly string[], cell: number, below: number): SVGElement[] {
  return named(names, cell).map(([name, index]) => {
    const [x, y] = [MARGIN + (index + 0.5) * cell, below + 6]
    const made = text(name, x, y, 'end')
    made.setAttribute('transform', `rotate(-60 ${x} ${y})`)
    return made
  })
}

/** What is said of a coil whose noise is far from the median: dead or hot; null of one like the others. */
export function oddness(sigma: number, all: readonly number[]): 'dead' | 'hot' | null {
  const middle = median(all)
  return isOdd(sigma, middle) ? (sigma > middle ? 'hot' : 'dead') : null
}

const isOdd = (value: number, middle: number): boolean => value > ODD * middle || value < middle / ODD

function median(values: readonly number[]): number {
  const rising = [...values].sort((a, b) => a - b)
  const upper = rising[rising.length >> 1] ?? Number.NaN
  return rising.length % 2 ? upper : ((rising[(rising.length >> 1) - 1] ?? Number.NaN) + upper) / 2
}

function drawing(width: number, height: number, label: string): SVGSVGElement {
  const made = document.createElementNS(SVG, 'svg')
  made.setAttribute('viewBox', `0 0 ${width} ${height}`)
  made.style.width = `${width}px`
  made.setAttribute('role', 'img')
  made.setAttribute('aria-label', label)
  made.classList.add('figure')
  return made
}

function line(x1: number, x2: number, y: number, kind: string, title = ''): SVGElement {
  return shape('line', { x1, x2, y1: y, y2: y, class: kind }, title)
}

function text(content: string, x: number, y: number, anchor: 'end' | 'middle'): SVGElement {
  const made = document.createElementNS(SVG, 'text')
  for (const [key, value] of Object.entries({ x, y, 'text-anchor': anchor, 'dominant-baseline': 'central', 'font-size': LETTER, 'aria-hidden': 'true' })) made.setAttribute(key, String(value))
  made.textContent = content
  return made
}

function shape(name: string, attributes: Record<string, string | number>, title: string): SVGElement {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  if (!title) return made
  const spoken = document.createElementNS(SVG, 'title')
  spoken.textContent = title
  made.append(spoken)
  return made
}
