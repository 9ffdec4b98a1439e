// Noise as drawings: matrices between coils, bars for each. Every cell and bar says what it is when pointed at.
import { digits } from '../maps/window'
import type { Matrix } from './npz'

const SVG = 'http://www.w3.org/2000/svg'
const CELL = 18
const HEIGHT = 140
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

/** Draws the magnitude of a matrix between coils, over its largest value or `top`. */
export function matrixFigure({ n, re, im }: Matrix, names: readonly string[], label: string, top?: number): SVGSVGElement {
  const magnitude = re.map((value, index) => Math.hypot(value, im[index] as number))
  const most = top ?? Math.max(...magnitude)
  const figure = drawing(n * CELL, n * CELL, label)
  magnitude.forEach((value, index) => {
    const [row, column] = [Math.floor(index / n), index % n]
    const phase = (Math.atan2(im[index] as number, re[index] as number) * 180) / Math.PI
    const angle = row === column ? '' : `, ${phase.toFixed(0)}°`
    const title = `${names[row]} × ${names[column]}: ${digits(value)}${angle}`
    const place = { x: column * CELL, y: row * CELL, width: CELL, height: CELL }
    figure.append(shape('rect', { ...place, fill: colourOf(most ? value / most : 0) }, title))
  })
  return figure
}

/** Draws one bar a value with the median as a line; those unlike the others are marked. */
export function barFigure(values: readonly number[], names: readonly string[], label: string, isMarked: boolean): SVGSVGElement {
  const middle = median(values)
  const top = Math.max(...values, isMarked ? 2 * middle : 0) || 1
  const width = values.length * CELL
  const figure = drawing(width, HEIGHT, label)
  values.forEach((value, index) => {
    const tall = (HEIGHT * Math.max(0, value)) / top
    const odd = isMarked && isOdd(value, middle)
    const place = { x: index * CELL + 2, y: HEIGHT - tall, width: CELL - 4, height: Math.max(tall, 0.5), class: odd ? 'odd' : 'bar-part' }
    figure.append(shape('rect', place, `${names[index]}: ${digits(value)}${odd ? ', unlike the others' : ''}`))
  })
  if (isMarked) {
    const y = HEIGHT - (HEIGHT * middle) / top
    figure.append(shape('line', { x1: 0, x2: width, y1: y, y2: y, class: 'middle' }, `median: ${digits(middle)}`))
  }
  return figure
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
  made.setAttribute('role', 'img')
  made.setAttribute('aria-label', label)
  made.classList.add('figure')
  return made
}

function shape(name: string, attributes: Record<string, string | number>, title: string): SVGElement {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  const text = document.createElementNS(SVG, 'title')
  text.textContent = title
  made.append(text)
  return made
}
