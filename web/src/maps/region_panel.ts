// The regions beside a map: their table, how they are entered by numbers, kept with the job, and loaded from another.
import { element } from '../elements'
import { complain, part, save } from '../page_parts'
import { drawHistogram } from './histogram_figure'
import { keep, load, remove } from './kept_regions'
import { csv, measure, type Measurement } from './measuring'
import { titleOf, unitOf, type MapEntry } from './package'
import type { Region, Regions } from './regions'
import { ellipse, rectangle } from './shapes'
import type { Stage } from './stage'
import type { Volume } from './volume'
import { digits } from './window'

const PATIENCE_MS = 60

export class RegionPanel {
  private readonly rows = part('#region-rows')
  private readonly message = part('#region-message')
  private readonly undoButton = part<HTMLButtonElement>('#undo')
  private readonly keepButton = part<HTMLButtonElement>('#keep-regions')
  private readonly form = part<HTMLFormElement>('#region-form')
  private timer: ReturnType<typeof setTimeout> | undefined
  measurements: readonly Measurement[] = []

  constructor(
    private readonly jobId: string,
    private regions: Regions,
    private readonly stage: Stage,
    private readonly entry: () => MapEntry,
  ) {
    this.undoButton.addEventListener('click', () => this.regions.undo())
    part('#new-region').addEventListener('click', () => this.regions.add())
    part('#regions-csv').addEventListener('click', () => this.saveCsv())
    this.keepButton.addEventListener('click', () => void this.keepAll())
    part<HTMLSelectElement>('#load-regions').addEventListener('change', (event) => {
      const select = event.currentTarget as HTMLSelectElement
      void this.loadFrom(select.value)
      select.value = ''
    })
    this.form.addEventListener('input', () => this.nameFields())
    this.form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.enter()
    })
    document.addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'z' && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault()
        this.regions.undo()
      }
    })
    document.addEventListener('cloudmr:theme', () => this.show())
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.show())
    addEventListener('resize', () => this.show())
    this.nameFields()
  }

  /** Works on other regions from now on: those of the stack of slices that is shown. */
  use(regions: Regions): void {
    this.regions = regions
    regions.changed = () => {
      this.paint()
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.show(), PATIENCE_MS)
    }
    this.paint()
  }
  draw(indices: Uint32Array, isInside: boolean): void {
    this.regions.draw(indices, isInside)
  }

  /** Brings what is kept with the job on the voxels of a map. */
  async bring(map: Volume): Promise<void> {
    try {
      const { regions } = await load(this.jobId, map)
      for (const region of regions) {
        this.regions.add(region)
        if (region.keptAs) this.regions.keptIds.add(region.keptAs)
      }
      if (regions.length) this.regions.settle()
    } catch (error) {
      complain(this.message, error)
    }
    this.show()
  }

  /** Measures the present map in all regions and shows what it says. */
  show(): void {
    const map = this.stage.volume
    if (!map) return
    this.measurements = measure(this.regions.all, map)
    this.undoButton.disabled = !this.regions.canUndo
    this.keepButton.disabled = !this.hasNews
    if (this.isBeingNamed()) return
    this.rows.replaceChildren(
      ...(this.measurements.length
        ? this.measurements.map((each) => this.row(each))
        : [element('tr', {}, element('td', { colspan: '11', class: 'dim' }, 'No region yet. Choose a tool and draw on the map, or enter one by numbers.'))]),
    )
    this.rows.dataset['map'] = String(this.entry().id)
    drawHistogram(part('#histogram'), this.measurements, [titleOf(this.entry()), unitOf(this.entry())].filter(Boolean).join(' / '))
  }

  private get hasNews(): boolean {
    const kept = new Set(this.regions.all.map(({ keptAs }) => keptAs))
    return this.regions.all.some((region) => !this.isKept(region)) || [...this.regions.keptIds].some((id) => !kept.has(id))
  }
  private isKept({ keptAs }: Region): boolean {
    return keptAs !== null && this.regions.keptIds.has(keptAs)
  }
  /** Whether somebody is in the midst of giving a name or a colour, which a new table would take from them. */
  private isBeingNamed(): boolean {
    const at = document.activeElement
    return at instanceof HTMLInputElement && at.matches('#region-rows input') && at.value !== at.defaultValue
  }

  private paint(): void {
    this.stage.viewer.setLabels(
      this.regions.labels(),
      this.regions.all.map(({ colour }) => colour),
    )
  }

  private row({ region, statistics: found, areaMm2, volumeMm3 }: Measurement): HTMLElement {
    const active = element('input', { type: 'radio', name: 'active-region', 'aria-label': `Draw into ${region.name}` })
    active.checked = this.regions.activeId === region.id
    active.addEventListener('change', () => (this.regions.activeId = region.id))
    const colour = element('input', { type: 'color', value: region.colour, 'aria-label': `Colour of ${region.name}` })
    colour.addEventListener('change', () => {
      colour.blur()
      this.regions.recolour(region.id, colour.value)
    })
    const name = element('input', { value: region.name, maxlength: '255', 'aria-label': 'Name of the region' })
    name.addEventListener('change', () => {
      name.blur()
      this.regions.rename(region.id, name.value.trim() || region.name)
    })
    const away = element('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${region.name}` }, 'Remove')
    away.addEventListener('click', () => this.regions.remove(region.id))
    const size = areaMm2 !== null ? `${digits(areaMm2)} mm²` : volumeMm3 !== null ? `${digits(volumeMm3)} mm³` : '–'
    const interval = found?.interval ? `${digits(found.interval[0], 5)} to ${digits(found.interval[1], 5)}` : '–'
    const numbers = [found?.mean, found?.sd, found?.median, found?.min, found?.max].map((value) => digits(value, 5))
    const cells = [String(found?.n ?? 0), size, ...numbers, interval].map((text) => element('td', { class: 'number' }, text))
    const row = element('tr', {}, element('td', {}, element('div', { class: 'which' }, active, colour, name)), ...cells, element('td', {}, away))
    row.dataset['region'] = region.name
    row.dataset['statistics'] = JSON.stringify(found)
    return row
  }

  private nameFields(): void {
    const isBox = new FormData(this.form).get('shape') === 'rectangle'
    const names = isBox ? ['x from', 'x to', 'y from', 'y to'] : ['Centre x', 'Half-axis x', 'Centre y', 'Half-axis y']
    this.form.querySelectorAll<HTMLElement>('[data-name]').forEach((place, index) => (place.textContent = names[index] ?? ''))
  }

  private enter(): void {
    const map = this.stage.volume
    const data = new FormData(this.form)
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((field) => Number(data.get(field))) as [number, number, number, number]
    if (!map || ![a, b, c, d].every(Number.isFinite)) return
    const { plane } = this.stage.viewer
    const isBox = data.get('shape') === 'rectangle'
    const found = isBox
      ? rectangle(map.shape, plane, [a, c], [b, d])
      : b > 0 && d > 0
        ? ellipse(map.shape, plane, [a, c], [b, d])
        : new Uint32Array()
    if (found.length === 0) {
      complain(this.message, new Error('There is no voxel of this map inside. Check the numbers.'))
      return
    }
    this.message.replaceChildren()
    const voxels = new Uint8Array(map.values.length)
    for (const index of found) voxels[index] = 1
    const name = data.get('name')?.toString().trim()
    this.regions.add({ voxels, ...(name ? { name } : {}) })
  }

  private async keepAll(): Promise<void> {
    const map = this.stage.volume
    if (!map) return
    this.keepButton.disabled = true
    try {
      const entry = this.entry()
      for (const region of this.regions.all.filter((each) => !this.isKept(each))) {
        const found = this.measurements.find((each) => each.region.id === region.id)?.statistics ?? null
        const id = await keep(this.jobId, map, region, { map: { id: entry.id, name: entry.name, unit: entry.unit }, statistics: found })
        this.regions.keptIds.add(id)
        this.regions.kept(region.id, id)
      }
      const wanted = new Set(this.regions.all.map(({ keptAs }) => keptAs))
      for (const id of [...this.regions.keptIds].filter((each) => !wanted.has(each))) {
        await remove(this.jobId, id)
        this.regions.keptIds.delete(id)
      }
      this.say('Kept with the job.')
    } catch (error) {
      complain(this.message, error)
    }
    this.show()
  }

  private async loadFrom(jobId: string): Promise<void> {
    const map = this.stage.volume
    if (!map || !jobId) return
    try {
      const { regions, elsewhere } = await load(jobId, map)
      for (const region of regions) this.regions.add({ ...region, keptAs: null })
      this.say(`${regions.length} regions loaded${elsewhere.length ? `; on other voxels, and left out: ${elsewhere.join(', ')}` : ''}.`)
    } catch (error) {
      complain(this.message, error)
    }
  }

  private saveCsv(): void {
    const entry = this.entry()
    const text = csv([{ name: entry.name, id: entry.id, unit: entry.unit, measurements: this.measurements }])
    save(new Blob([text], { type: 'text/csv' }), 'regions.csv')
  }

  private say(text: string): void {
    this.message.replaceChildren(element('p', { class: 'dim', role: 'status' }, text))
  }
}
