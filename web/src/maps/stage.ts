// A map as it stands on a page: the picture, its colour bar in units, and what lies under the crosshair.
import { element } from '../elements'
import { indexOf } from './shapes'
import { Viewer } from './viewer'
import { millimetres, type Triple, type Volume } from './volume'
import { digits, type Window } from './window'

export class Stage {
  readonly overlay = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  private readonly bar = element('div', { class: 'colours', role: 'img' })
  private readonly ramp = element('div', { class: 'ramp' })
  private readonly high = element('span', { class: 'number' })
  private readonly middle = element('span', { class: 'number' })
  private readonly low = element('span', { class: 'number' })
  private readonly unitText = element('span', { class: 'dim' })
  private readonly readout = element('output', { class: 'readout number' })
  private unit = ''
  volume: Volume | null = null
  /** Called when the crosshair has moved, by whomever. */
  moved: (voxel: Triple) => void = () => undefined
  windowed: (window: Window) => void = () => undefined

  private constructor(
    readonly root: HTMLElement,
    readonly viewer: Viewer,
  ) {
    viewer.moved = (voxel) => {
      this.read(voxel)
      this.moved(voxel)
    }
    viewer.windowed = (window) => {
      this.showBar()
      this.windowed(window)
    }
  }

  /** Builds a stage in an element; `label` is what the picture is called for those who cannot see it. */
  static async in(root: HTMLElement, label: string): Promise<Stage> {
    const canvas = element('canvas', { tabindex: '0', role: 'img', 'aria-label': label })
    const picture = element('div', { class: 'picture' }, canvas)
    root.classList.add('stage')
    root.replaceChildren(picture)
    const stage = new Stage(root, await Viewer.on(canvas))
    stage.overlay.classList.add('overlay')
    stage.overlay.setAttribute('aria-hidden', 'true')
    picture.append(stage.overlay)
    stage.bar.append(stage.unitText, stage.high, stage.ramp, stage.middle, stage.low)
    root.append(stage.bar, stage.readout)
    canvas.addEventListener('keydown', (event) => stage.step(event))
    return stage
  }

  async show(volume: Volume, unit: string, window: Window): Promise<void> {
    this.volume = volume
    this.unit = unit
    await this.viewer.show(volume, window)
    this.showBar()
    this.read(this.viewer.voxel)
  }
  setWindow(window: Window): void {
    this.viewer.setWindow(window)
    this.showBar()
  }
  setColormap(name: string): void {
    this.viewer.setColormap(name)
    this.showBar()
  }

  setGamma(gamma: number): void {
    this.viewer.setGamma(gamma)
    this.showBar()
  }

  /** The value under the crosshair. */
  get value(): number {
    return this.volume ? (this.volume.values[indexOf(this.volume.shape, this.viewer.voxel)] ?? Number.NaN) : Number.NaN
  }

  private read(voxel: Triple): void {
    if (!this.volume) return
    const value = this.volume.values[indexOf(this.volume.shape, voxel)]
    const place = this.volume.isPlaced ? ` · ${millimetres(this.volume, voxel).map((mm) => mm.toFixed(1)).join(', ')} mm` : ''
    this.readout.textContent = `${digits(value, 6)} ${this.unit} · voxel ${voxel.join(', ')}${place}`
    this.root.dataset['voxel'] = voxel.join(',')
    this.root.dataset['value'] = String(value)
  }

  private showBar(): void {
    const [low, high] = this.viewer.window
    this.ramp.style.background = this.viewer.gradient
    this.high.textContent = digits(high)
    this.middle.textContent = digits((low + high) / 2)
    this.low.textContent = digits(low)
    this.unitText.textContent = this.unit
    this.bar.setAttribute('aria-label', `Colours from ${digits(low)} to ${digits(high)} ${this.unit}`)
  }

  /** Arrows move the crosshair on its slice, Page Up and Page Down from slice to slice. */
  private step(event: KeyboardEvent): void {
    const steps: Record<string, readonly [number, number, number]> = {
      ArrowLeft: [-1, 0, 0],
      ArrowRight: [1, 0, 0],
      ArrowDown: [0, -1, 0],
      ArrowUp: [0, 1, 0],
      PageDown: [0, 0, -1],
      PageUp: [0, 0, 1],
    }
    const step = steps[event.key]
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return
    event.preventDefault()
    event.stopImmediatePropagation()
    const across = this.viewer.plane.axis
    const axes = [...[0, 1, 2].filter((axis) => axis !== across), across]
    const next = [...this.viewer.voxel]
    axes.forEach((axis, index) => (next[axis] = (next[axis] ?? 0) + (step[index] as number)))
    this.viewer.move(next as unknown as Triple)
  }
}
