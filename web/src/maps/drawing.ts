// Drawing on a slice with the pointer: which tool, what is seen meanwhile, and the voxels it comes to.
import { ellipse, fill, outline, rectangle, stroke, type Plane, type Point } from './shapes'
import type { Stage } from './stage'
import type { Window } from './window'

export const TOOLS = ['crosshair', 'window', 'rectangle', 'ellipse', 'freehand', 'fill', 'eraser'] as const
export type Tool = (typeof TOOLS)[number]

interface Drag {
  readonly plane: Plane
  readonly points: Point[]
  readonly seen: Point[]
  readonly window: Window
}

const SVG = 'http://www.w3.org/2000/svg'
const SMALLEST_HALF_AXIS = 0.5

export class Drawing {
  private tool: Tool = 'crosshair'
  private drag: Drag | null = null
  /** How far, in percent of the value it begins at, a fill reaches. */
  fillPercent = 20
  /** In voxels. */
  eraserRadius = 1.5
  /** Called with voxels to put into the region, or to take out of it. */
  drawn: (indices: Uint32Array, isInside: boolean) => void = () => undefined

  constructor(private readonly stage: Stage) {
    const { overlay } = stage
    overlay.addEventListener('pointerdown', (event) => this.begin(event))
    overlay.addEventListener('pointermove', (event) => this.go(event))
    overlay.addEventListener('pointerup', () => this.end())
    overlay.addEventListener('pointercancel', () => this.forget())
    overlay.addEventListener('contextmenu', (event) => event.preventDefault())
  }

  choose(tool: Tool): void {
    this.tool = tool
    this.forget()
    this.stage.overlay.classList.toggle('live', tool !== 'crosshair')
    this.stage.overlay.dataset['tool'] = tool
  }

  private begin(event: PointerEvent): void {
    const at = this.stage.viewer.pointAt(event.clientX, event.clientY)
    if (!at || !this.stage.volume) return
    event.preventDefault()
    this.stage.overlay.setPointerCapture(event.pointerId)
    this.drag = { plane: at.plane, points: [at.point], seen: [this.onOverlay(event)], window: this.stage.viewer.window }
  }

  private go(event: PointerEvent): void {
    if (!this.drag) return
    const seen = this.onOverlay(event)
    if (this.tool === 'window') {
      const box = this.stage.overlay.getBoundingClientRect()
      const [x, y] = this.drag.seen[0] as Point
      this.stage.viewer.dragWindow(this.drag.window, (seen[0] - x) / box.width, (seen[1] - y) / box.height)
      return
    }
    const at = this.stage.viewer.pointAt(event.clientX, event.clientY)
    if (!at || at.plane.axis !== this.drag.plane.axis) return
    this.drag.points.push(at.point)
    this.drag.seen.push(seen)
    this.sketch(this.drag.seen)
  }

  private end(): void {
    const { drag } = this
    this.forget()
    const volume = this.stage.volume
    if (!drag || !volume || this.tool === 'window') return
    const [from, to] = [drag.points[0] as Point, drag.points.at(-1) as Point]
    const { shape, values } = volume
    switch (this.tool) {
      case 'rectangle':
        return this.drawn(rectangle(shape, drag.plane, rounded(from), rounded(to)), true)
      case 'ellipse': {
        const half = ([0, 1] as const).map((side) => Math.max(SMALLEST_HALF_AXIS, Math.abs(to[side] - from[side]) / 2))
        const centre: Point = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]
        return this.drawn(ellipse(shape, drag.plane, centre, half as unknown as Point), true)
      }
      case 'freehand':
        return this.drawn(outline(shape, drag.plane, drag.points), true)
      case 'fill': {
        const value = valueAt(this.stage, drag.plane, from)
        const reach = (Math.abs(value) * this.fillPercent) / 100
        return this.drawn(fill(shape, values, drag.plane, from, value - reach, value + reach), true)
      }
      case 'eraser':
        return this.drawn(stroke(shape, drag.plane, drag.points, this.eraserRadius), false)
      case 'crosshair':
        return
    }
  }

  private sketch(seen: readonly Point[]): void {
    const [a, b] = [seen[0] as Point, seen.at(-1) as Point]
    const box = { x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.abs(a[0] - b[0]), height: Math.abs(a[1] - b[1]) }
    const line = seen.map((point) => point.join(',')).join(' ')
    const made =
      this.tool === 'rectangle'
        ? shapeOf('rect', box)
        : this.tool === 'ellipse'
          ? shapeOf('ellipse', { cx: box.x + box.width / 2, cy: box.y + box.height / 2, rx: box.width / 2, ry: box.height / 2 })
          : shapeOf(this.tool === 'freehand' ? 'polygon' : 'polyline', { points: line })
    this.stage.overlay.replaceChildren(made)
  }

  private forget(): void {
    this.drag = null
    this.stage.overlay.replaceChildren()
  }
  private onOverlay(event: PointerEvent): Point {
    const box = this.stage.overlay.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
}

const rounded = ([x, y]: Point): Point => [Math.round(x), Math.round(y)]

function valueAt(stage: Stage, plane: Plane, point: Point): number {
  if (!stage.volume) return Number.NaN
  const [index] = rectangle(stage.volume.shape, plane, rounded(point), rounded(point))
  return index === undefined ? Number.NaN : (stage.volume.values[index] ?? Number.NaN)
}

function shapeOf(name: string, attributes: Record<string, number | string>): SVGElement {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  return made
}
