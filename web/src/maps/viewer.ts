// The only file that knows NiiVue: one volume on a canvas, its window and colours, its regions, and where the crosshair is.
//
// What 0.69 gets wrong is put right here: the window is set again after every change of colours (setColormap resets it)
// and never taken from NiiVue (it ignores the border of the picture); the crosshair stands on voxel centres (between two
// slices it would show one and mark the other); statistics are computed elsewhere; the colour bar is HTML.
import { cmapper, DRAG_MODE, NVImage, Niivue, SLICE_TYPE } from '@niivue/niivue'
import { edged } from './edges'
import type { Plane, Point } from './shapes'
import { axesOf } from './shapes'
import type { Triple, Volume } from './volume'
import { dragged, type Window } from './window'

export const COLORMAPS = ['viridis', 'inferno', 'magma', 'plasma', 'cividis', 'gray', 'hot', 'turbo', 'jet', 'hsv'] as const
/** Blue below the middle, white at it, red above. */
export const DIVERGING = 'diverging'
export const VIEWS = { axial: SLICE_TYPE.AXIAL, coronal: SLICE_TYPE.CORONAL, sagittal: SLICE_TYPE.SAGITTAL, multi: SLICE_TYPE.MULTIPLANAR } as const
cmapper.addColormap(DIVERGING, {
  R: [5, 33, 247, 178, 103],
  G: [48, 102, 247, 24, 0],
  B: [97, 172, 247, 43, 31],
  A: [0, 255, 255, 255, 255],
  I: [0, 32, 128, 224, 255],
})
/** The same, but grey at its very beginning: where a ratio says nothing, or lies below the window. */
export const RATIO = 'ratio'
cmapper.addColormap(RATIO, {
  R: [128, 5, 33, 247, 178, 103],
  G: [128, 48, 102, 247, 24, 0],
  B: [128, 97, 172, 247, 43, 31],
  A: [255, 255, 255, 255, 255, 255],
  I: [0, 1, 32, 128, 224, 255],
})

export type View = keyof typeof VIEWS

/** Of what is inside a region, so that the map is still read there. */
const INSIDE_ALPHA = 70
/** In percent of the picture. */
const CROSSHAIR_WIDTH = 0.25
const AXIS_ACROSS: Readonly<Record<number, number>> = { 0: 2, 1: 1, 2: 0 }
const GROUND = { light: [1, 1, 1, 1], dark: [0.1, 0.13, 0.16, 1] } as const

export interface SlicePoint {
  readonly plane: Plane
  readonly point: Point
}

export class Viewer {
  private readonly nv: Niivue
  private volume: Volume | null = null
  private labels: Uint8Array | null = null
  private at: Window = [0, 1]
  private gamma = 1
  colormap: string = COLORMAPS[0]
  view: View = 'axial'
  /** Called when the crosshair moves, by whomever. */
  moved: (voxel: Triple) => void = () => undefined
  /** Called when the window is changed by a drag. */
  windowed: (window: Window) => void = () => undefined

  private constructor(readonly canvas: HTMLCanvasElement) {
    this.nv = new Niivue({
      ...this.looks(),
      isColorbar: false,
      crosshairWidth: CROSSHAIR_WIDTH,
      crosshairWidthUnit: 'percent',
      dragMode: DRAG_MODE.none,
      dragAndDropEnabled: false,
      isForceMouseClickToVoxelCenters: true,
      isNearestInterpolation: true,
      show3Dcrosshair: false,
      multiplanarShowRender: 0,
      loadingText: '',
      logLevel: 'error',
    })
    this.nv.addEventListener('locationChange', () => this.moved(this.voxel))
    document.addEventListener('cloudmr:theme', () => this.dress())
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.dress())
    this.installWindowing()
  }

  static async on(canvas: HTMLCanvasElement): Promise<Viewer> {
    const viewer = new Viewer(canvas)
    await viewer.nv.attachToCanvas(canvas)
    viewer.setView('axial')
    return viewer
  }

  /** Shows a volume; view, colours and, on the same voxels, the crosshair stay. */
  async show(volume: Volume, window: Window): Promise<void> {
    const before = this.volume
    const crosshair = before && before.shape.every((n, axis) => n === volume.shape[axis]) ? this.voxel : null
    const image = await NVImage.loadFromUrl({
      url: 'map.nii',
      buffer: volume.file.slice(0),
      name: 'map.nii',
      colormap: this.colormap,
      cal_min: window[0],
      cal_max: window[1],
    })
    for (const old of [...this.nv.volumes]) this.nv.removeVolume(old)
    this.nv.closeDrawing()
    this.ownGamma()
    this.nv.addVolume(image)
    this.volume = volume
    this.setWindow(window)
    this.move(crosshair ?? (volume.shape.map((n) => n >> 1) as unknown as Triple))
    if (this.labels?.length === volume.values.length) this.putLabels(this.labels)
  }

  get window(): Window {
    return this.at
  }
  setWindow(window: Window): void {
    this.at = window
    const [image] = this.nv.volumes
    if (!image) return
    image.cal_min = window[0]
    image.cal_max = window[1]
    this.ownGamma()
    this.nv.updateGLVolume()
  }
  setColormap(name: string): void {
    this.colormap = name
    const [image] = this.nv.volumes
    if (!image) return
    this.ownGamma()
    this.nv.setColormap(image.id, name)
    this.setWindow(this.at)
  }
  setGamma(gamma: number): void {
    this.gamma = gamma
    this.setWindow(this.at)
  }
  setCrosshair(isShown: boolean): void {
    this.nv.opts.crosshairWidth = isShown ? CROSSHAIR_WIDTH : 0
    this.nv.drawScene()
  }
  /** NiiVue has one gamma for all pictures of a page; each of ours brings its own before it is coloured. */
  private ownGamma(): void {
    cmapper.gamma = this.gamma
  }
  setView(view: View): void {
    this.view = view
    this.nv.setSliceType(VIEWS[view])
  }

  /** The voxel under the crosshair. */
  get voxel(): Triple {
    if (!this.volume) return [0, 0, 0]
    const [i, j, k] = this.nv.frac2vox(this.nv.scene.crosshairPos)
    return [i ?? 0, j ?? 0, k ?? 0]
  }
  /** Puts the crosshair on a voxel's centre; what lies outside is moved to the edge. */
  move(voxel: Triple): void {
    if (!this.volume) return
    const inside = this.volume.shape.map((n, axis) => Math.min(n - 1, Math.max(0, Math.round(voxel[axis] ?? 0))))
    this.nv.scene.crosshairPos = this.nv.vox2frac(inside as [number, number, number])
    this.nv.drawScene()
    this.moved(inside as unknown as Triple)
  }

  /** The slice that is in front, and through which axis it cuts. */
  get plane(): Plane {
    const axis = this.view === 'sagittal' ? 0 : this.view === 'coronal' ? 1 : 2
    return { axis, index: this.voxel[axis] as number }
  }
  /** Where on which slice a point of the window lies; null beside the slices. */
  pointAt(clientX: number, clientY: number): SlicePoint | null {
    if (!this.volume) return null
    const box = this.canvas.getBoundingClientRect()
    const scale = this.canvas.width / box.width
    const [x, y] = [(clientX - box.left) * scale, (clientY - box.top) * scale]
    const tile = this.nv.screenSlices[this.nv.tileIndex(x, y)]
    const axis = tile === undefined ? undefined : AXIS_ACROSS[tile.axCorSag]
    const part = this.nv.canvasPos2frac([x, y])
    if (axis === undefined || (part[0] as number) < 0) return null
    const place = this.volume.shape.map((n, each) => (part[each] as number) * n - 0.5) as unknown as Triple
    const plane = { axis, index: Math.round(place[axis] as number) }
    const [first, second] = axesOf(plane)
    return { plane, point: [place[first] as number, place[second] as number] }
  }

  /** Draws regions over the map: a number a voxel, and the colours of 1, 2, … */
  setLabels(labels: Uint8Array, colours: readonly string[]): void {
    this.labels = labels
    const parts = colours.map((colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)))
    const channel = (index: number): number[] => [0, ...parts.flatMap((part) => [part[index] as number, part[index] as number])]
    const numbers = Array.from({ length: 2 * parts.length + 1 }, (_, index) => index)
    this.nv.drawLut = cmapper.makeDrawLut({
      R: channel(0),
      G: channel(1),
      B: channel(2),
      A: [0, ...parts.flatMap(() => [INSIDE_ALPHA, 255])],
      I: numbers,
      labels: numbers.map(String),
    })
    this.nv.setDrawOpacity(1)
    this.ownGamma()
    this.nv.updateGLVolume()
    this.putLabels(labels)
  }

  /** The colours of the map, from the lowest value to the highest, as CSS has them. */
  get gradient(): string {
    this.ownGamma()
    const colours = cmapper.colormap(this.colormap)
    const stops = Array.from({ length: 33 }, (_, index) => Math.round((index * 255) / 32) * 4)
    return `linear-gradient(to top, ${stops.map((at) => `rgb(${colours[at]} ${colours[at + 1]} ${colours[at + 2]})`).join(',')})`
  }

  /** What is seen, as PNG. */
  picture(): Promise<Blob> {
    this.nv.drawScene()
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser made no picture.'))), 'image/png')
    })
  }

  private putLabels(labels: Uint8Array): void {
    if (!this.volume || labels.length !== this.volume.values.length) return
    if (!this.nv.drawBitmap) this.nv.createEmptyDrawing()
    this.nv.drawBitmap?.set(edged(labels, this.volume.shape, this.volume.sliceAxis))
    this.nv.refreshDrawing(true)
  }

  private looks(): { backColor: [number, number, number, number]; crosshairColor: [number, number, number, number]; fontColor: [number, number, number, number] } {
    const chosen = document.documentElement.dataset['theme']
    const isDark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
    return {
      backColor: [...GROUND[isDark ? 'dark' : 'light']],
      crosshairColor: [0.9, 0.3, 0.1, 0.8],
      // To be read beside a map as well as on it.
      fontColor: [0.95, 0.4, 0.15, 1],
    }
  }
  private dress(): void {
    Object.assign(this.nv.opts, this.looks())
    this.nv.drawScene()
  }

  /** The right button, or the left with Shift, drags the window. */
  private installWindowing(): void {
    let from: { x: number; y: number; window: Window } | null = null
    this.canvas.addEventListener('contextmenu', (event) => event.preventDefault())
    const begin = (event: PointerEvent): void => {
      if (event.button !== 2 && !event.shiftKey) return
      from = { x: event.clientX, y: event.clientY, window: this.at }
      this.canvas.setPointerCapture(event.pointerId)
      event.preventDefault()
    }
    this.canvas.addEventListener('pointerdown', begin)
    this.canvas.addEventListener('pointermove', (event) => {
      if (!from) return
      const box = this.canvas.getBoundingClientRect()
      this.dragWindow(from.window, (event.clientX - from.x) / box.width, (event.clientY - from.y) / box.height)
    })
    for (const end of ['pointerup', 'pointercancel']) this.canvas.addEventListener(end, () => (from = null))
  }
  dragWindow(begun: Window, right: number, down: number): void {
    this.setWindow(dragged(begun, right, down))
    this.windowed(this.at)
  }
}
