// What is drawn on a slice, as voxels: the same definitions as `mroptimum roi --box` and `--ellipse`.
import type { Triple, Values } from './volume'

/** A slice: the axis across it, and its number. Its own axes are the other two, in their order. */
export interface Plane {
  readonly axis: number
  readonly index: number
}
/** A place on a slice in voxels; whole numbers are voxel centres. */
export type Point = readonly [number, number]

export function axesOf(plane: Plane): readonly [number, number] {
  return plane.axis === 0 ? [1, 2] : plane.axis === 1 ? [0, 2] : [0, 1]
}

export function indexOf(shape: Triple, [i, j, k]: Triple): number {
  return i + shape[0] * (j + shape[1] * k)
}

export function placeOn(plane: Plane, [x, y]: Point): Triple {
  const [first, second] = axesOf(plane)
  const place = [0, 0, 0]
  place[plane.axis] = plane.index
  place[first] = x
  place[second] = y
  return place as unknown as Triple
}

/** All voxels whose centre lies between two corners, both included; what reaches over the edge is cut off. */
export function rectangle(shape: Triple, plane: Plane, a: Point, b: Point): Uint32Array {
  const [low, high] = [cornerBy(Math.min, a, b), cornerBy(Math.max, a, b)]
  return voxelsWhere(shape, plane, low, high, () => true)
}

/** All voxels whose centre lies in or on an ellipse. */
export function ellipse(shape: Triple, plane: Plane, centre: Point, halfAxes: Point): Uint32Array {
  const low: Point = [centre[0] - halfAxes[0], centre[1] - halfAxes[1]]
  const high: Point = [centre[0] + halfAxes[0], centre[1] + halfAxes[1]]
  return voxelsWhere(
    shape,
    plane,
    low,
    high,
    (x, y) => ((x - centre[0]) / halfAxes[0]) ** 2 + ((y - centre[1]) / halfAxes[1]) ** 2 <= 1,
  )
}

/** All voxels whose centre lies inside a closed outline. */
export function outline(shape: Triple, plane: Plane, points: readonly Point[]): Uint32Array {
  return voxelsWhere(shape, plane, points.reduce(lower), points.reduce(upper), (x, y) => isInside(points, x, y))
}

/** All voxels within a distance of a stroke. */
export function stroke(shape: Triple, plane: Plane, points: readonly Point[], radius: number): Uint32Array {
  const [low, high] = [points.reduce(lower), points.reduce(upper)]
  return voxelsWhere(shape, plane, [low[0] - radius, low[1] - radius], [high[0] + radius, high[1] + radius], (x, y) =>
    points.some((point, index) => distance([x, y], points[index - 1] ?? point, point) <= radius),
  )
}

/** All voxels of a slice that hang together with a seed by their sides, and whose values lie in a range. */
export function fill(shape: Triple, values: Values, plane: Plane, seed: Point, low: number, high: number): Uint32Array {
  const [width, height] = axesOf(plane).map((axis) => shape[axis] ?? 0) as [number, number]
  const at = (x: number, y: number): number => indexOf(shape, placeOn(plane, [x, y]))
  const seen = new Uint8Array(width * height)
  const waiting: Point[] = [[Math.round(seed[0]), Math.round(seed[1])]]
  const found: number[] = []
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [x, y] = next
    if (x < 0 || y < 0 || x >= width || y >= height || seen[x + width * y]) continue
    seen[x + width * y] = 1
    const value = values[at(x, y)] ?? Number.NaN
    if (!(value >= low && value <= high)) continue
    found.push(at(x, y))
    waiting.push([x + 1, y], [x - 1, y], [x, y + 1], [x, y - 1])
  }
  return Uint32Array.from(found).sort()
}

function voxelsWhere(shape: Triple, plane: Plane, low: Point, high: Point, holds: (x: number, y: number) => boolean): Uint32Array {
  const [first, second] = axesOf(plane)
  const range = (side: 0 | 1, axis: number): [number, number] => [
    Math.max(0, Math.ceil(low[side])),
    Math.min((shape[axis] ?? 0) - 1, Math.floor(high[side])),
  ]
  const [[x0, x1], [y0, y1]] = [range(0, first), range(1, second)]
  const found: number[] = []
  for (let y = y0; y <= y1; y += 1) {
    for (let x = x0; x <= x1; x += 1) if (holds(x, y)) found.push(indexOf(shape, placeOn(plane, [x, y])))
  }
  return Uint32Array.from(found)
}

function isInside(points: readonly Point[], x: number, y: number): boolean {
  let inside = false
  for (const [index, [ax, ay]] of points.entries()) {
    const [bx, by] = points.at(index - 1) as Point
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  }
  return inside
}

function distance([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay]
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length))
  return Math.hypot(x - ax - along * dx, y - ay - along * dy)
}

const cornerBy = (pick: (...values: number[]) => number, a: Point, b: Point): Point => [pick(a[0], b[0]), pick(a[1], b[1])]
const lower = (a: Point, b: Point): Point => cornerBy(Math.min, a, b)
const upper = (a: Point, b: Point): Point => cornerBy(Math.max, a, b)
