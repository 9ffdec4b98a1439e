// Two jobs side by side: the same place, window and colours in both, their ratio, and how they differ in regions.
import { element } from '../elements'
import { difference, ratio } from '../maps/differences'
import { load } from '../maps/kept_regions'
import { ResultPackage, titleOf, unitOf, type MapEntry } from '../maps/package'
import { valuesIn } from '../maps/regions'
import { Stage } from '../maps/stage'
import { RATIO, type View } from '../maps/viewer'
import { coincide, fileLike, volumeOf, type Triple, type Volume } from '../maps/volume'
import { defaultWindow, digits, type Window } from '../maps/window'
import { onChange, onCrosshair, onGamma } from '../results/looks'
import { complain, part } from '../page_parts'

interface Pair {
  readonly a: MapEntry
  readonly b: MapEntry
}

class ComparePage {
  private readonly low = part<HTMLInputElement>('#low')
  private readonly high = part<HTMLInputElement>('#high')
  private readonly pairs: readonly Pair[]
  private isMoving = false

  constructor(
    private readonly root: HTMLElement,
    private readonly a: ResultPackage,
    private readonly b: ResultPackage,
    private readonly stages: readonly [Stage, Stage, Stage],
  ) {
    this.pairs = a.maps.flatMap((of_a) => {
      const of_b = b.maps.find((each) => each.id === of_a.id && titleOf(each) === titleOf(of_a))
      return of_b && of_a.type !== 'mask' ? [{ a: of_a, b: of_b }] : []
    })
  }

  async start(): Promise<void> {
    if (this.pairs.length === 0) throw new Error('These jobs have no map in common.')
    const select = part<HTMLSelectElement>('#map')
    select.append(...this.pairs.map(({ a }, index) => element('option', { value: String(index) }, titleOf(a))))
    select.addEventListener('change', () => void this.show(this.pairs[Number(select.value)] as Pair))
    onChange('#view', (value) => this.stages.forEach((stage) => stage.viewer.setView(value as View)))
    onChange('#colormap', (value) => this.both((stage) => stage.setColormap(value)))
    onGamma((gamma) => this.both((stage) => stage.setGamma(gamma)))
    onCrosshair((isShown) => this.stages.forEach((stage) => stage.viewer.setCrosshair(isShown)))
    for (const input of [this.low, this.high]) input.addEventListener('change', () => this.windowByNumbers())
    part('#auto-window').addEventListener('click', () => {
      const { volume } = this.stages[0]
      if (volume) this.setWindow(defaultWindow(volume.values))
    })
    this.stages[2].setColormap(RATIO)
    for (const stage of this.stages) stage.moved = (voxel) => this.move(stage, voxel)
    for (const stage of this.stages.slice(0, 2)) stage.windowed = (window) => this.setWindow(window)
    await this.show(this.pairs[0] as Pair)
  }

  private async show(pair: Pair): Promise<void> {
    this.root.dataset['ready'] = 'false'
    try {
      const [a, b] = await Promise.all([this.a.volume(pair.a), this.b.volume(pair.b)])
      if (!coincide(a, b)) {
        throw new Error(`The maps lie on different voxels (${a.shape.join(' x ')} and ${b.shape.join(' x ')}, or at other places). Compare results of the same geometry.`)
      }
      const masks = await Promise.all([this.a.objectMask(pair.a), this.b.objectMask(pair.b)])
      const isObject = (index: number): boolean => masks.every((mask) => !mask || (mask.values[index] as number) > 0)
      const inside = Uint8Array.from(a.values, (_, index) => (isObject(index) ? 1 : 0))
      const window = pair.a.unit === 'rad' ? ([-Math.PI, Math.PI] as const) : defaultWindow(a.values)
      const quotient = volumeOf(fileLike(a, ratio(a.values, b.values), 'B / A'))
      await this.stages[0].show(a, unitOf(pair.a), window)
      await this.stages[1].show(b, unitOf(pair.b), window)
      await this.stages[2].show(quotient, '', ratioWindow(quotient, inside))
      this.setWindow(window)
      await this.measure(inside, a, b)
      this.root.dataset['ready'] = pair.a.filename
    } catch (error) {
      complain(part('#compare-message'), error)
    }
  }

  private async measure(inside: Uint8Array, a: Volume, b: Volume): Promise<void> {
    const kept = [...(await load(this.a.jobId, a)).regions, ...(await load(this.b.jobId, a)).regions]
    const rows = [{ name: 'object', voxels: inside }, ...kept].map(({ name, voxels }) => {
      const found = difference(a.values, b.values, voxels)
      const numbers = [found?.meanA, found?.meanB, found?.mean, found?.sd, found?.median, found?.meanRatio, found?.medianRatio]
      const row = element('tr', {}, element('td', {}, name), element('td', { class: 'number' }, String(found?.n ?? 0)))
      row.append(...numbers.map((value) => element('td', { class: 'number' }, digits(value, 5))))
      row.dataset['region'] = name
      row.dataset['difference'] = JSON.stringify(found)
      return row
    })
    part('#difference-rows').replaceChildren(...rows)
  }

  /** The crosshair goes along in all pictures. */
  private move(from: Stage, voxel: Triple): void {
    if (this.isMoving || this.stages.some(({ volume }) => volume === null)) return
    this.isMoving = true
    for (const stage of this.stages) if (stage !== from) stage.viewer.move(voxel)
    this.isMoving = false
    const [a, b, quotient] = this.stages.map(({ value }) => digits(value, 5))
    part('#values').textContent = `A ${a} · B ${b} · B / A ${quotient}`
  }
  private both(then: (stage: Stage) => void): void {
    this.stages.slice(0, 2).forEach(then)
  }
  private windowByNumbers(): void {
    const window: Window = [Number(this.low.value), Number(this.high.value)]
    this.setWindow(window.every(Number.isFinite) && window[1] > window[0] ? window : this.stages[0].viewer.window)
  }
  private setWindow(window: Window): void {
    this.both((stage) => stage.setWindow(window))
    this.low.value = digits(window[0], 5)
    this.high.value = digits(window[1], 5)
  }
}

/** Around 1, a quarter further than nine of ten voxels of the object reach; a ratio of magnitudes is never below 0. */
function ratioWindow(quotient: Volume, inside: Uint8Array): Window {
  const away = valuesIn(quotient.values, inside)
    .filter((value) => value !== 0)
    .map((value) => Math.abs(value - 1))
    .sort()
  const reach = Math.min(1, Math.max(0.01, 1.25 * (away[Math.floor(0.9 * (away.length - 1))] ?? 0)))
  return [1 - reach, 1 + reach]
}

const root = document.querySelector<HTMLElement>('#compare')
if (root) {
  try {
    const { a = '', b = '' } = root.dataset
    const found = await Promise.all([ResultPackage.open(a), ResultPackage.open(b)])
    const stages = await Promise.all([
      Stage.in(part('#stage-a'), 'The map of A'),
      Stage.in(part('#stage-b'), 'The map of B'),
      Stage.in(part('#stage-ratio'), 'The ratio of B to A'),
    ])
    await new ComparePage(root, ...found, stages).start()
  } catch (error) {
    complain(part('#compare-message'), error)
  }
}
