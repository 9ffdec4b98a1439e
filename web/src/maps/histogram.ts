// How often values occur in regions, counted over the same bins.
export interface Histogram {
  /** The middle of each bin. */
  readonly centres: readonly number[]
  readonly counts: readonly (readonly number[])[]
}

/** Counts the values of several regions over common bins, as many as the square root of the largest asks for. */
export function histogram(regions: readonly Float64Array[]): Histogram {
  const finite = regions.map((values) => values.filter(Number.isFinite))
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const values of finite) {
    for (const value of values) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  }
  if (!(low <= high)) return { centres: [], counts: regions.map(() => []) }
  const n = Math.min(80, Math.max(8, Math.ceil(Math.sqrt(Math.max(...finite.map((values) => values.length))))))
  const width = (high - low) / n || 1
  return {
    centres: Array.from({ length: n }, (_, bin) => low + (bin + 0.5) * width),
    counts: finite.map((values) => {
      const counts = new Array<number>(n).fill(0)
      for (const value of values) {
        const bin = Math.min(n - 1, Math.floor((value - low) / width))
        counts[bin] = (counts[bin] ?? 0) + 1
      }
      return counts
    }),
  }
}
