// The results of a job: its maps, regions of them, and everything to take away.
import { element } from '../elements'
import { Drawing, type Tool } from '../maps/drawing'
import { ResultPackage, stackOf, titleOf, unitOf, type MapEntry } from '../maps/package'
import { RegionPanel } from '../maps/region_panel'
import { Regions } from '../maps/regions'
import { Stage } from '../maps/stage'
import type { View } from '../maps/viewer'
import type { Triple, Volume } from '../maps/volume'
import { defaultWindow, digits, type Window } from '../maps/window'
import { complain, part, save } from '../page_parts'
import { showDownloads } from '../results/downloads'
import { onChange, onCrosshair, onGamma } from '../results/looks'
import { showWarnings } from '../results/warnings'

const FULL_TURN: Window = [-Math.PI, Math.PI]
const CIRCLE = 'hsv'
const isPhase = (entry: MapEntry): boolean => entry.unit === 'rad'

class ResultsPage {
  private readonly mapSelect = part<HTMLSelectElement>('#map')
  private readonly low = part<HTMLInputElement>('#low')
  private readonly high = part<HTMLInputElement>('#high')
  private readonly keepWindow = part<HTMLInputElement>('#keep-window')
  private readonly places = ['i', 'j', 'k'].map((axis) => part<HTMLInputElement>(`#voxel-${axis}`))
  private readonly regions = new Map<string, Regions>()
  private readonly volumes = new Map<string, Promise<Volume>>()
  /** What was set for each map; maps that nobody touched have the window that fits them. */
  private readonly windows = new Map<string, Window>()
  /** Of phases and of everything else. */
  private readonly colours = new Map<boolean, string>([[true, CIRCLE]])
  private entry: MapEntry
  private panel: RegionPanel | null = null

  constructor(
    private readonly root: HTMLElement,
    private readonly found: ResultPackage,
    private readonly stage: Stage,
  ) {
    this.entry = found.maps[0] as MapEntry
    this.colours.set(false, part<HTMLSelectElement>('#colormap').value)
  }

  async start(): Promise<void> {
    this.fillMaps()
    this.installControls()
    await this.show(this.entry, true)
  }

  private fillMaps(): void {
    const groups: Record<string, MapEntry[]> = { Results: [], 'Made on the way': [], 'Coil maps': [] }
    for (const entry of this.found.maps) {
      const isCoil = /^Coil Sensitivity/.test(entry.name)
      groups[isCoil ? 'Coil maps' : entry.type === 'output' ? 'Results' : 'Made on the way']?.push(entry)
    }
    for (const [label, entries] of Object.entries(groups)) {
      if (entries.length === 0) continue
      const options = entries.map((entry) => element('option', { value: entry.filename }, titleOf(entry)))
      this.mapSelect.append(element('optgroup', { label }, ...options))
    }
  }

  private installControls(): void {
    const { stage } = this
    this.mapSelect.addEventListener('change', () => {
      const entry = this.found.maps.find(({ filename }) => filename === this.mapSelect.value)
      if (entry) void this.show(entry, false)
    })
    onChange('#view', (value) => {
      stage.viewer.setView(value as View)
    })
    onChange('#colormap', (value) => {
      this.colours.set(isPhase(this.entry), value)
      stage.setColormap(value)
    })
    onGamma((gamma) => stage.setGamma(gamma))
    onCrosshair((isShown) => stage.viewer.setCrosshair(isShown))
    for (const input of [this.low, this.high]) input.addEventListener('change', () => this.windowByNumbers())
    part('#auto-window').addEventListener('click', () => stage.volume && this.setWindow(defaultWindow(stage.volume.values)))
    stage.windowed = (window) => this.rememberWindow(window)
    stage.moved = (voxel) => voxel.forEach((at, axis) => ((this.places[axis] as HTMLInputElement).value = String(at)))
    for (const input of this.places) {
      input.addEventListener('change', () => stage.viewer.move(this.places.map(({ value }) => Number(value)) as unknown as Triple))
    }
    part('#save-view').addEventListener('click', async () => save(await stage.viewer.picture(), `${this.entry.name}.png`))
    part('#save-map').addEventListener('click', () => void this.saveMap())
  }

  private async saveMap(): Promise<void> {
    const name = this.entry.filename.split('/').at(-1) as string
    save(new Blob([await this.found.bytes(this.entry.filename)], { type: 'application/gzip' }), name)
  }

  private async show(entry: MapEntry, isFirst: boolean): Promise<void> {
    this.root.dataset['ready'] = 'false'
    try {
      performance.mark('map asked for')
      const volume = await this.read(entry)
      performance.measure('map read', 'map asked for')
      const window = this.windowFor(entry, volume, isFirst)
      this.entry = entry
      this.chooseColours(entry)
      await this.stage.show(volume, unitOf(entry), window)
      performance.measure('map shown', 'map asked for')
      this.showWindow(window)
      this.places.forEach((input, axis) => (input.max = String((volume.shape[axis] as number) - 1)))
      part('#about-map').textContent = entry.description ?? ''
      await this.chooseRegions(entry, volume)
      this.panel?.show()
      this.root.dataset['ready'] = entry.filename
    } catch (error) {
      complain(part('#viewer-message'), error)
    }
  }

  /** That of the map before where one window is wanted for all, else the one that was set for this map, else one that fits. */
  private windowFor(entry: MapEntry, volume: Volume, isFirst: boolean): Window {
    if (this.keepWindow.checked && !isFirst && entry.unit === this.entry.unit) return this.stage.viewer.window
    return this.windows.get(entry.filename) ?? (isPhase(entry) ? FULL_TURN : defaultWindow(volume.values))
  }

  /** Phases go round in a circle, and so do their colours. */
  private chooseColours(entry: MapEntry): void {
    const name = this.colours.get(isPhase(entry)) ?? part<HTMLSelectElement>('#colormap').value
    part<HTMLSelectElement>('#colormap').value = name
    this.stage.setColormap(name)
  }

  private read(entry: MapEntry): Promise<Volume> {
    const known = this.volumes.get(entry.filename) ?? this.found.volume(entry)
    this.volumes.set(entry.filename, known)
    known.catch(() => this.volumes.delete(entry.filename))
    return known
  }

  /** Each stack of slices has regions of its own: they lie on its voxels. */
  private async chooseRegions(entry: MapEntry, volume: Volume): Promise<void> {
    const stack = stackOf(entry)
    const known = this.regions.get(stack)
    const regions = known ?? new Regions(volume.shape)
    this.regions.set(stack, regions)
    this.panel ??= this.panelFor(regions)
    this.panel.use(regions)
    if (!known) await this.panel.bring(volume)
  }

  private panelFor(regions: Regions): RegionPanel {
    const panel = new RegionPanel(this.found.jobId, regions, this.stage, () => this.entry)
    const drawing = new Drawing(this.stage)
    drawing.drawn = (indices, isInside) => panel.draw(indices, isInside)
    for (const input of document.querySelectorAll<HTMLInputElement>('[name=tool]')) {
      input.addEventListener('change', () => drawing.choose(input.value as Tool))
      if (input.checked) drawing.choose(input.value as Tool)
    }
    part<HTMLInputElement>('#fill-percent').addEventListener('change', (event) => {
      drawing.fillPercent = Number((event.currentTarget as HTMLInputElement).value)
    })
    return panel
  }

  private windowByNumbers(): void {
    const window: Window = [Number(this.low.value), Number(this.high.value)]
    if (window.every(Number.isFinite) && window[1] > window[0]) this.setWindow(window)
    else this.showWindow(this.stage.viewer.window)
  }
  private setWindow(window: Window): void {
    this.stage.setWindow(window)
    this.rememberWindow(window)
  }
  private rememberWindow(window: Window): void {
    this.windows.set(this.entry.filename, window)
    this.showWindow(window)
  }
  private showWindow([low, high]: Window): void {
    this.low.value = digits(low, 5)
    this.high.value = digits(high, 5)
  }
}

const root = document.querySelector<HTMLElement>('#results')
if (root) {
  try {
    const found = await ResultPackage.open(root.dataset['job'] ?? '')
    showDownloads(part('#downloads'), found)
    showWarnings(part('#warnings'), found.info.info.warnings)
    if (found.maps.length === 0) throw new Error('This job left no maps.')
    await new ResultsPage(root, found, await Stage.in(part('#stage'), 'The map')).start()
  } catch (error) {
    complain(part('#viewer-message'), error)
  }
}
