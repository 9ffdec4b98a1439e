// Eigenvalues of a Hermitian matrix, by Jacobi's rotations of the real symmetric matrix twice its size.
import type { Matrix } from './npz'

const SWEEPS = 60

/** Returns the eigenvalues, the largest first. */
export function eigenvalues({ n, re, im }: Matrix): number[] {
  // [[A, -B], [B, A]] of A + iB is symmetric and has each eigenvalue twice.
  const size = 2 * n
  const a = Array.from({ length: size }, (_, row) =>
    Float64Array.from({ length: size }, (_, column) => {
      const at = (row % n) * n + (column % n)
      if (row < n === column < n) return re[at] as number
      return (row < n ? -1 : 1) * (im[at] as number)
    }),
  )
  const norm = Math.sqrt(a.reduce((sum, row) => sum + row.reduce((part, value) => part + value * value, 0), 0))
  for (let sweep = 0; sweep < SWEEPS && offDiagonal(a) > 1e-14 * norm; sweep += 1) {
    for (let p = 0; p < size - 1; p += 1) for (let q = p + 1; q < size; q += 1) rotate(a, p, q)
  }
  const twice = a.map((row, index) => row[index] as number).sort((x, y) => y - x)
  return twice.filter((_, index) => index % 2 === 0)
}

function offDiagonal(a: readonly Float64Array[]): number {
  let sum = 0
  a.forEach((row, i) => row.forEach((value, j) => (sum += i === j ? 0 : value * value)))
  return Math.sqrt(sum)
}

function rotate(a: readonly Float64Array[], p: number, q: number): void {
  const [rowP, rowQ] = [a[p] as Float64Array, a[q] as Float64Array]
  const apart = rowP[q] as number
  if (apart === 0) return
  const theta = ((rowQ[q] as number) - (rowP[p] as number)) / (2 * apart)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (const row of a) {
    const [x, y] = [row[p] as number, row[q] as number]
    row[p] = c * x - s * y
    row[q] = s * x + c * y
  }
  for (let k = 0; k < a.length; k += 1) {
    const [x, y] = [rowP[k] as number, rowQ[k] as number]
    rowP[k] = c * x - s * y
    rowQ[k] = s * x + c * y
  }
}
