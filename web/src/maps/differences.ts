// How a map differs from another of the same voxels: the same definitions as `mroptimum compare`.
import { medianOf, total } from './statistics'
import type { Values } from './volume'

const BEYOND_ALL_BOUNDS = 1e100

export interface Difference {
  readonly n: number
  readonly meanA: number
  readonly meanB: number
  /** Of B - A; its sd is null for a single voxel. */
  readonly mean: number
  readonly sd: number | null
  readonly median: number
  /** Of B / A where neither is 0; null where there is none. */
  readonly meanRatio: number | null
  readonly medianRatio: number | null
}

/** Returns B / A, 0 where either is 0 or has no value. */
export function ratio(a: Values, b: Values): Float32Array {
  const found = new Float32Array(a.length)
  for (let index = 0; index < found.length; index += 1) {
    const [of_a, of_b] = [a[index] as number, b[index] as number]
    if (of_a === 0 || of_b === 0) continue
    const quotient = Math.fround(of_b / of_a)
    found[index] = Number.isFinite(of_a) && Number.isFinite(of_b) && Number.isFinite(quotient) ? quotient : 0
  }
  return found
}

/** Compares the values of two maps where `inside` is not 0; null where no voxel has a value in both. */
export function difference(a: Values, b: Values, inside: ArrayLike<number>): Difference | null {
  const picked: [number, number][] = []
  for (let index = 0; index < inside.length; index += 1) {
    const pair: [number, number] = [a[index] as number, b[index] as number]
    if (inside[index] && pair.every((value) => Math.abs(value) < BEYOND_ALL_BOUNDS)) picked.push(pair)
  }
  const n = picked.length
  if (n === 0) return null
  const mean = (values: Float64Array): number => total(values, (value) => value) / values.length
  const apart = Float64Array.from(picked, ([of_a, of_b]) => of_b - of_a)
  const quotients = Float64Array.from(
    picked.filter(([of_a, of_b]) => Math.abs(of_a) > 1 / BEYOND_ALL_BOUNDS && of_b !== 0),
    ([of_a, of_b]) => of_b / of_a,
  )
  const middle = mean(apart)
  return {
    n,
    meanA: mean(Float64Array.from(picked, ([of_a]) => of_a)),
    meanB: mean(Float64Array.from(picked, ([, of_b]) => of_b)),
    mean: middle,
    sd: n > 1 ? Math.sqrt(total(apart, (value) => (value - middle) ** 2) / (n - 1)) : null,
    median: medianOf(apart.slice().sort()),
    meanRatio: quotients.length ? mean(quotients) : null,
    medianRatio: quotients.length ? medianOf(quotients.slice().sort()) : null,
  }
}
