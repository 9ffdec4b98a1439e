// Regions of a map while somebody works on them: named sets of voxels, and every step can be taken back.
import { MOST_DRAWN } from './edges'
import type { Triple, Values } from './volume'

/** Told apart with every kind of colour vision (Okabe and Ito), those first that differ most from the colours of maps. */
export const COLOURS = ['#d55e00', '#cc79a7', '#56b4e9', '#e69f00', '#f0e442', '#0072b2', '#009e73'] as const

export interface Region {
  readonly id: number
  readonly name: string
  readonly colour: string
  /** 1 inside, 0 outside. */
  readonly voxels: Uint8Array
  /** Its id where it is kept with the job just as it is; null: it is not, or has changed since. */
  readonly keptAs: string | null
}

export class Regions {
  private list: readonly Region[] = []
  private readonly past: (readonly Region[])[] = []
  private made = 0
  activeId: number | null = null
  /** Which of them the job keeps now, taken away on the page or not. */
  readonly keptIds = new Set<string>()
  changed: () => void = () => undefined

  constructor(readonly shape: Triple) {}

  get all(): readonly Region[] {
    return this.list
  }
  get active(): Region | undefined {
    return this.list.find((region) => region.id === this.activeId)
  }
  get canUndo(): boolean {
    return this.past.length > 0
  }

  /** Begins a region; what is drawn next goes into it. */
  add(given: Partial<Omit<Region, 'id'>> = {}): Region {
    const region = this.fresh(given)
    this.activeId = region.id
    this.step([...this.list, region])
    return region
  }

  /** Puts voxels into the active region, or takes them out; begins a region where there is none. */
  draw(indices: Uint32Array, isInside: boolean): void {
    if (indices.length === 0 || (!isInside && !this.active)) return
    const region = this.active ?? this.fresh({})
    const voxels = region.voxels.slice()
    for (const index of indices) voxels[index] = isInside ? 1 : 0
    const drawn = { ...region, voxels, keptAs: null }
    this.activeId = region.id
    const isKnown = this.list.some(({ id }) => id === region.id)
    this.step(isKnown ? this.list.map((each) => (each.id === region.id ? drawn : each)) : [...this.list, drawn])
  }

  rename(id: number, name: string): void {
    this.replace(id, { name, keptAs: null })
  }
  recolour(id: number, colour: string): void {
    this.replace(id, { colour, keptAs: null })
  }
  remove(id: number): void {
    if (this.activeId === id) this.activeId = null
    this.step(this.list.filter((region) => region.id !== id))
  }

  /** Notes that a region is kept with the job; nothing to take back. */
  kept(id: number, as: string): void {
    this.list = this.list.map((region) => (region.id === id ? { ...region, keptAs: as } : region))
    this.changed()
  }

  undo(): void {
    const before = this.past.pop()
    if (!before) return
    this.list = before
    if (!this.active) this.activeId = before.at(-1)?.id ?? null
    this.changed()
  }

  /** Forgets how the regions came about: what was loaded cannot be taken back. */
  settle(): void {
    this.past.length = 0
    this.changed()
  }

  /** One number a voxel: 0, or which region (counted from 1) lies there; later ones lie on top. */
  labels(): Uint8Array {
    const labels = new Uint8Array(this.size)
    this.list.slice(0, MOST_DRAWN).forEach((region, index) => {
      for (let voxel = 0; voxel < labels.length; voxel += 1) if (region.voxels[voxel]) labels[voxel] = index + 1
    })
    return labels
  }

  private get size(): number {
    return this.shape[0] * this.shape[1] * this.shape[2]
  }
  private fresh(given: Partial<Omit<Region, 'id'>>): Region {
    this.made += 1
    return {
      id: this.made,
      name: given.name ?? `region ${this.made}`,
      colour: given.colour ?? (COLOURS[(this.made - 1) % COLOURS.length] as string),
      voxels: given.voxels ?? new Uint8Array(this.size),
      keptAs: given.keptAs ?? null,
    }
  }
  private replace(id: number, change: Partial<Region>): void {
    this.step(this.list.map((region) => (region.id === id ? { ...region, ...change } : region)))
  }
  private step(next: readonly Region[]): void {
    this.past.push(this.list)
    this.list = next
    this.changed()
  }
}

/** The values of a map inside a region, in the order of the voxels. */
export function valuesIn(values: Values, voxels: Uint8Array): Float64Array {
  const found: number[] = []
  for (let index = 0; index < voxels.length; index += 1) if (voxels[index]) found.push(values[index] ?? Number.NaN)
  return Float64Array.from(found)
}
