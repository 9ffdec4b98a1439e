// Student's t: how many standard errors hold 95 % of it.
const NORMAL = 1.959963984540054
const MANY = 400

/** Returns t with P(|T| < t) = 0.95 for a whole number of degrees of freedom. */
export function halfWidthOf95(degrees: number): number {
  if (degrees < 1) return Number.NaN
  if (degrees >= MANY) return expanded(degrees)
  let [low, high] = [0, Math.PI / 2]
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2
    if (within(middle, degrees) < 0.95) low = middle
    else high = middle
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2)
}

/** P(|T| < √ν tan θ), exact for whole ν (Abramowitz & Stegun 26.7.3 and 26.7.4). */
function within(angle: number, degrees: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = degrees % 2 === 1
  let term = isOdd ? cosine : 1
  let sum = degrees === 1 ? 0 : term
  for (let k = isOdd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine
    sum += term
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum
}

/** The expansion for many degrees of freedom (Abramowitz & Stegun 26.7.5); its error is below 1e-10 from 400 on. */
function expanded(degrees: number): number {
  const z = NORMAL
  const parts = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ]
  return parts.reduce((sum, part, index) => sum + part / degrees ** (index + 1), z)
}
