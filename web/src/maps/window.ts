// Which values are drawn black and which white, how a drag changes that, and what is told beside a colour bar.
export type Window = readonly [number, number]

const SAMPLES = 200_000

/** Returns the window from the 2nd to the 98th percentile of the values that are not 0, which maps are outside the object. */
export function defaultWindow(values: ArrayLike<number>): Window {
  const step = Math.max(1, Math.floor(values.length / SAMPLES))
  const picked: number[] = []
  for (let index = 0; index < values.length; index += step) {
    const value = values[index] as number
    if (Number.isFinite(value) && value !== 0) picked.push(value)
  }
  const rising = Float64Array.from(picked).sort()
  if (rising.length === 0) return [0, 1]
  const at = (part: number): number => rising[Math.round(part * (rising.length - 1))] as number
  const [low, high] = [at(0.02), at(0.98)]
  // SNR and magnitudes are read from zero.
  const start = low > 0 && low < high / 2 ? 0 : low
  return high > start ? [start, high] : [start === 0 ? 0 : start - Math.abs(start) / 2, start + (Math.abs(start) / 2 || 1)]
}

/** A drag to the right widens the window, a drag up brightens: a whole side of the picture is twice the window. */
export function dragged([low, high]: Window, right: number, down: number): Window {
  const width = (high - low) * Math.exp(right * 2)
  const level = (low + high) / 2 + (high - low) * down
  return [level - width / 2, level + width / 2]
}

/** A number as it is shown: four digits, no zeros to carry along. */
export function digits(value: number | null | undefined, n = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(n - 1)
  return String(Number(value.toPrecision(n)))
}
