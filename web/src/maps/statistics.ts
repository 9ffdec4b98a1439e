// Statistics of the values in a region: the same definitions as `mroptimum roi`.
import { halfWidthOf95 } from './student'

export interface Statistics {
  /** Voxels that have a value, and count; `nZero` of them are exactly 0, as maps are outside the object. */
  readonly n: number
  readonly nZero: number
  readonly nWithoutValue: number
  readonly mean: number
  /** With n - 1 in its denominator; null, as the interval is, for a single voxel. */
  readonly sd: number | null
  readonly median: number
  readonly min: number
  readonly max: number
  /** The 95 % interval of the mean, every voxel counted as an independent draw. */
  readonly interval: readonly [number, number] | null
}

/** Returns the statistics of values, in double precision; null where none is finite. */
export function statistics(values: ArrayLike<number>): Statistics | null {
  const found = Float64Array.from(values).filter(Number.isFinite).sort()
  const n = found.length
  if (n === 0) return null
  const mean = total(found, (value) => value) / n
  const sd = n > 1 ? Math.sqrt(total(found, (value) => (value - mean) ** 2) / (n - 1)) : null
  const half = sd === null ? null : (halfWidthOf95(n - 1) * sd) / Math.sqrt(n)
  return {
    n,
    nZero: found.reduce((count, value) => count + (value === 0 ? 1 : 0), 0),
    nWithoutValue: values.length - n,
    mean,
    sd,
    median: medianOf(found),
    min: found[0] ?? Number.NaN,
    max: found[n - 1] ?? Number.NaN,
    interval: half === null ? null : [mean - half, mean + half],
  }
}

/** The median of values in rising order. */
export function medianOf(rising: Float64Array): number {
  const middle = rising.length >> 1
  const upper = rising[middle] ?? Number.NaN
  return rising.length % 2 ? upper : ((rising[middle - 1] ?? Number.NaN) + upper) / 2
}

/** A sum that loses nothing of its small parts (Neumaier). */
export function total(values: Float64Array, part: (value: number) => number): number {
  let sum = 0
  let lost = 0
  for (const value of values) {
    const next = part(value)
    const reached = sum + next
    lost += Math.abs(sum) >= Math.abs(next) ? sum - reached + next : next - reached + sum
    sum = reached
  }
  return sum + lost
}
