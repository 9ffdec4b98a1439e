// Regions as they are drawn over a map: their edge strong, so that it is seen on any colour, and what is inside faint.
import { axesOf } from './shapes'
import type { Triple } from './volume'

/** What is drawn for region n, counted from 1. */
export const insideOf = (n: number): number => 2 * n - 1
export const edgeOf = (n: number): number => 2 * n
/** As many regions as a drawing of 255 numbers can tell apart. */
export const MOST_DRAWN = 127

/** Returns a number a voxel, 0 beside all regions: an edge where a neighbour on the same slice is of something else. */
export function edged(labels: Uint8Array, shape: Triple, sliceAxis: number): Uint8Array {
  const strides = [1, shape[0], shape[0] * shape[1]] as const
  const axes = axesOf({ axis: sliceAxis, index: 0 })
  const drawn = new Uint8Array(labels.length)
  for (let voxel = 0; voxel < labels.length; voxel += 1) {
    const label = labels[voxel] as number
    if (label === 0) continue
    const isEdge = axes.some((axis) => {
      const stride = strides[axis] as number
      const at = Math.floor(voxel / stride) % (shape[axis] as number)
      return at === 0 || at === (shape[axis] as number) - 1 || labels[voxel - stride] !== label || labels[voxel + stride] !== label
    })
    drawn[voxel] = isEdge ? edgeOf(label) : insideOf(label)
  }
  return drawn
}
